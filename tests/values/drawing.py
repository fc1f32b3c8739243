"""Pictures: matplotlib, pillow, scikit-image."""

import matplotlib as mpl
import matplotlib.colors
import matplotlib.dates
import matplotlib.figure
import matplotlib.markers
import matplotlib.patches
import matplotlib.path
import matplotlib.ticker
import matplotlib.transforms
import numpy as np
import skimage.feature
import skimage.measure
import skimage.transform
from PIL import Image, ImageDraw, ImageFilter, ImageFont

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)


def figure():
    made = matplotlib.figure.Figure()
    made.subplots().plot([1, 2])
    return made


def autoscaled(norm):
    norm.autoscale([1, 10])
    return norm


def told(image, **info):
    image.info.update(info)
    return image


def labelled():
    return skimage.measure.label(GREY > 5)


VALUES = """
mpl.colormaps["viridis"]
mpl.colormaps["magma"]
mpl.colormaps["viridis"].resampled(4)
matplotlib.colors.ListedColormap(["r", "g"])
matplotlib.colors.LinearSegmentedColormap.from_list("a", ["r", "g"])
matplotlib.colors.Normalize(0, 1)
matplotlib.colors.Normalize(0, 2)
matplotlib.colors.LogNorm(1, 10)
matplotlib.colors.LogNorm(1, 100)
autoscaled(matplotlib.colors.LogNorm())
autoscaled(matplotlib.colors.Normalize())
matplotlib.colors.BoundaryNorm([0, 1, 2], 3)
matplotlib.colors.SymLogNorm(0.1)
matplotlib.colors.TwoSlopeNorm(0)
matplotlib.colors.LightSource()
matplotlib.path.Path([[0, 0], [1, 1]])
matplotlib.path.Path([[0, 0], [1, 2]])
matplotlib.transforms.Affine2D().rotate(1)
matplotlib.transforms.Affine2D().rotate(2)
matplotlib.transforms.Bbox([[0, 0], [1, 1]])
matplotlib.markers.MarkerStyle("o")
matplotlib.markers.MarkerStyle("s")
matplotlib.ticker.MaxNLocator(5)
matplotlib.ticker.MaxNLocator(6)
matplotlib.ticker.FormatStrFormatter("%.1f")
matplotlib.ticker.FuncFormatter(str)
mpl.rcParamsDefault["figure.figsize"]
mpl.cycler(color=["r", "g"])
Image.fromarray(GREY)
Image.fromarray(GREY.T)
Image.new("RGB", (2, 2), "red")
Image.new("RGB", (2, 2), "blue")
Image.new("RGBA", (2, 2), "red")
Image.new("P", (2, 2))
told(Image.new("RGB", (2, 2), "red"), dpi=(72, 72))
ImageFilter.GaussianBlur(2)
skimage.transform.AffineTransform(scale=2)
skimage.transform.AffineTransform(scale=3)
skimage.transform.SimilarityTransform(rotation=1)
labelled()
skimage.measure.CircleModel()
skimage.feature.ORB(10)
"""

NO_DIGEST = """
figure()
figure().axes[0]
matplotlib.patches.Circle((0, 0), 1)
skimage.measure.regionprops(labelled())[0].__class__.__mro__[0].__init__.__code__
"""
