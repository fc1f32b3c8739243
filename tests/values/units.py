"""Numbers with units and errors: astropy, pint, uncertainties."""

import astropy.constants
import astropy.coordinates as coord
import astropy.cosmology
import astropy.io.fits as fits
import astropy.modeling.models as models
import astropy.nddata
import astropy.table
import astropy.time
import astropy.timeseries
import astropy.units as u
import astropy.wcs
import numpy as np
import pint
import uncertainties
import uncertainties.unumpy

ureg = pint.get_application_registry()
other_registry = pint.UnitRegistry()


def table(**meta):
    made = astropy.table.Table({"a": [1, 2, 3], "b": ["x", "y", "z"]}, meta=meta)
    made["a"].unit = "m"
    return made


def indexed():
    made = table()
    made.add_index("a")
    return made


def formatted():
    made = table()
    made["a"].info.format = "%.2f"
    return made


def summed():
    a, b = uncertainties.ufloat(1, 0.1), uncertainties.ufloat(2, 0.2)
    return a + b


def fitted(slope):
    return models.Linear1D(slope=slope, intercept=1)


def header(**cards):
    made = fits.Header()
    made.update(cards)
    return made


VALUES = """
u.m
u.s
u.m / u.s
u.Unit("km")
u.Unit("kg m / s2")
u.mag
u.dex(u.cm / u.s**2)
1 * u.m
1.0 * u.km
2 * u.m
[1, 2] * u.m
[1, 2] * u.s
u.Magnitude(1)
astropy.constants.c
astropy.constants.G
table()
table(source="a")
table()["a"]
table()["b"]
table()[:2]
table()["b", "a"]
formatted()
table()[0]
table().columns
astropy.table.QTable({"a": [1, 2] * u.m})
astropy.table.QTable({"a": [1, 2] * u.s})
astropy.table.Column([1, 2], name="a")
astropy.table.Column([1, 2], name="a", unit="m")
astropy.table.MaskedColumn([1, 2], mask=[0, 1], name="a")
astropy.time.Time("2020-01-01")
astropy.time.Time("2020-01-01", scale="tai")
astropy.time.Time("2020-01-01", format="isot", precision=6)
astropy.time.Time([2450000.5, 2450001.5], format="jd")
astropy.time.TimeDelta(1, format="jd")
coord.SkyCoord(1 * u.deg, 2 * u.deg)
coord.SkyCoord(1 * u.deg, 2 * u.deg, frame="galactic")
coord.SkyCoord([1, 2] * u.deg, [2, 3] * u.deg)
coord.SkyCoord(1 * u.deg, 2 * u.deg, distance=1 * u.pc)
coord.ICRS(1 * u.deg, 2 * u.deg)
coord.Angle(1, "deg")
coord.Longitude(1, "deg")
coord.Longitude(1, "deg", wrap_angle=180 * u.deg)
coord.EarthLocation.from_geodetic(1, 2)
coord.CartesianRepresentation(1, 2, 3)
fitted(1)
fitted(2)
models.Gaussian1D() + models.Const1D()
models.Gaussian1D(stddev=2)
astropy.cosmology.Planck18
astropy.cosmology.FlatLambdaCDM(70, 0.3)
astropy.cosmology.FlatLambdaCDM(71, 0.3)
astropy.nddata.NDData([1, 2])
astropy.nddata.CCDData([1, 2], unit="adu")
astropy.nddata.StdDevUncertainty([1, 2])
header()
header(A=1)
header(A=1, B="x")
header(B="x", A=1)
fits.PrimaryHDU(np.arange(4.0))
ureg.meter
ureg.second
ureg.Quantity(1, "m")
ureg.Quantity(2, "m")
ureg.Quantity([1, 2], "m")
ureg.Quantity(1, "m/s")
ureg.Quantity(1, "degC")
ureg.Unit("kg * m")
"""

NOT_COPIED = """
fits.HDUList([fits.PrimaryHDU(np.arange(3.0))])
"""

NOT_KEPT = """
astropy.timeseries.TimeSeries(time=astropy.time.Time(["2020-01-01", "2020-01-02"]), data={"a": [1, 2]})
indexed()
astropy.table.Table(masked=True, data={"a": [1, 2]})
table().group_by("b")
other_registry.Quantity(3, "m")
"""

NO_DIGEST = """
astropy.wcs.WCS(naxis=2)
ureg.Quantity(1, "m").plus_minus(0.1)
uncertainties.ufloat(1, 0.1)
uncertainties.ufloat(1, 0.1, "tag")
summed()
uncertainties.unumpy.uarray([1, 2], [0.1, 0.2])
"""
