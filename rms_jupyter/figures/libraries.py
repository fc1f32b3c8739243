"""Which figures are not matplotlib's, and what becomes of them?

They are data with a description, and count when they are given or shown: while they are made they are copied many
times. Each is first written down as JSON, with the mark of its task in it. That is one of its files, and all others are
made from it: a page for any browser, and pictures where the library has what it draws them with.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import itertools
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rms_jupyter.errors import words_of
from rms_jupyter.figures.browser import ToDraw, drawn
from rms_jupyter.figures.formats import PAGES, Formats
from rms_jupyter.figures.looks import altair_in, plotly_in
from rms_jupyter.figures.mark import TaskMark, marked
from rms_jupyter.figures.styles import Style
from rms_jupyter.fingerprint.nesting import everything
from rms_jupyter.upon_import import UponImport

_MOST_LOOKED_AT = 1000  # Parts of a value that is given.
_alone = threading.Lock()


class File(NamedTuple):
    """A file that is made of a figure that is written down; so many dots an inch, if that is said."""

    written: str
    format: str
    dpi: float | None = None


Made = list[bytes | Exception]


class Library(NamedTuple):
    """A library whose figures are saved when they are given or shown.

    Its class of figures and the module that has it; a pattern of their types' names; the methods that show one; how one
    is written down, with the text of a mark, and how that looks in a style; how files are made from that; the package
    that it needs to draw pictures, and their formats.
    """

    module: str
    figure: str
    types: str
    shown_by: tuple[str, ...]
    write_down: Callable[[Any, str], str]
    restyle: Callable[[str, Style], str]
    draw: Callable[[Sequence[File]], Made]
    artist: str
    pictures: Formats

    def holds(self, value: Any) -> bool:
        """Whether a value is a figure of the library."""
        module = sys.modules.get(self.module)
        return module is not None and isinstance(value, getattr(module, self.figure, ()))

    def files_of(self, written: str, formats: Formats, style: Style | None = None) -> dict[str, File]:
        """Return the files that a figure can have, by the ends of their names; in a style, if that changes it.

        They are pages, and of the pictures that are wanted those that can be drawn here.
        """
        before, dpi = "", None
        if style is not None:
            looks = self.restyle(written, style)
            if json.loads(looks) == json.loads(written):
                return {}
            written, before, dpi, formats = looks, f"{style.name}.", style.dpi, style.formats or formats
        pages = [name for name in formats if name in PAGES] or PAGES
        pictures = [name for name in formats if name in self.pictures and self.has_artist()]
        return {before + name: File(written, name, dpi) for name in (*pictures, *pages)}

    def make(self, files: Mapping[str, File], mark: TaskMark) -> tuple[dict[str, bytes], list[str]]:
        """Make files, by the ends of their names, and say which could not be made."""
        made: dict[str, bytes] = {}
        problems = []
        for (name, file), data in zip(files.items(), self.draw([*files.values()]), strict=True):
            if isinstance(data, Exception):
                problems.append(f"as {name}: {words_of(data)}")
            else:
                made[name] = marked(data, file.format, mark)
        return made, problems

    def picture(self, figure: Any) -> bytes:
        """Draw a figure as PNG."""
        [data] = self.draw([File(self.write_down(figure, ""), "png")])
        if isinstance(data, Exception):
            raise data
        return data

    def has_artist(self) -> bool:
        """Whether that is installed which draws its pictures."""
        return importlib.util.find_spec(self.artist) is not None


def can_draw(type_name: str) -> bool:
    """Whether pictures of figures of a type can be drawn here.

    Examples
    --------
    >>> can_draw("numpy.ndarray")
    False
    """
    return any(re.fullmatch(library.types, type_name) and library.has_artist() for library in _TABLE)


def figures_in(value: Any) -> Iterator[tuple[Library, Any]]:
    """Find the figures of these libraries in a value."""
    libraries = [library for library in _TABLE if library.module in sys.modules]
    if libraries:
        for part in itertools.islice(everything(value), _MOST_LOOKED_AT):
            yield from ((library, part) for library in libraries if library.holds(part))


@functools.cache
def watch_shown(tell: Callable[[Any], None]) -> None:
    """Let `tell` know of each figure that is shown from now on, also by what is imported later."""

    def stand_before(module: Any) -> None:
        for library in _TABLE:
            if library.module == module.__name__:
                figure = getattr(module, library.figure)
                for name in library.shown_by:
                    setattr(figure, name, _telling(getattr(figure, name), tell))

    UponImport([library.module for library in _TABLE], stand_before).listen()


def _telling(show: Any, tell: Callable[[Any], None]) -> Any:
    @functools.wraps(show)
    def telling(self: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        tell(self)
        return show(self, *args, **kwargs)

    return telling


# Each library --------------------------------------------------------------------------------------------------------


def _write_plotly(figure: Any, mark: str) -> str:
    from plotly import io as plotly_io

    written = figure.to_plotly_json()
    meta = written["layout"].get("meta", {})
    if isinstance(meta, dict):  # Anything else is the user's.
        written["layout"]["meta"] = {**meta, "task": mark}
    text: str = plotly_io.to_json({"layout": written["layout"], **written}, validate=False)
    return text


def _draw_plotly(files: Sequence[File]) -> Made:
    pictures = [file for file in files if file.format not in PAGES]
    made = dict(zip(pictures, drawn(map(_picture_of, pictures)), strict=True)) if pictures else {}
    return [made[file] if file in made else _each(_page_of_plotly, file) for file in files]


def _page_of_plotly(file: File) -> bytes:
    from plotly import io as plotly_io

    if file.format == "json":
        return file.written.encode()
    figure = json.loads(file.written)
    page: str = plotly_io.to_html(figure, include_plotlyjs="cdn", div_id="figure", validate=False)
    return page.encode()


def _picture_of(file: File) -> ToDraw:
    """As large as plotly's own `to_image` would draw it."""
    from plotly import io as plotly_io

    layout: dict[str, Any] = json.loads(file.written)["layout"]
    in_template = layout.get("template", {}).get("layout", {})
    usual = getattr(plotly_io, "defaults", None)
    width, height = (
        layout.get(name) or in_template.get(name) or getattr(usual, f"default_{name}", None)
        for name in ("width", "height")
    )
    return ToDraw(file.written, file.format, _scale_of(file, 96), width, height)


def _write_altair(figure: Any, mark: str) -> str:
    import altair

    with _alone, altair.data_transformers.enable("default", max_rows=None):  # With its data, wherever it is shown.
        written = figure.to_dict()
    return json.dumps({"usermeta": {**written.pop("usermeta", {}), "task": mark}, **written})


def _draw_altair(files: Sequence[File]) -> Made:
    return [_each(_file_of_altair, file) for file in files]


def _file_of_altair(file: File) -> bytes:
    import altair

    if file.format == "json":
        return file.written.encode()
    named: Any = file.format
    buffer: Any = io.BytesIO() if file.format in ("png", "pdf") else io.StringIO()
    with _alone, altair.data_transformers.enable("default", max_rows=None):
        altair.Chart.from_dict(json.loads(file.written)).save(buffer, format=named, scale_factor=_scale_of(file, 72))
    data: str | bytes = buffer.getvalue()
    return data.encode() if isinstance(data, str) else data


def _scale_of(file: File, inch: int) -> float:
    """Return how many pixels of a picture make one of a library's, which has so many in an inch."""
    return file.dpi / inch if file.dpi and file.format == "png" else 1


def _each(draw: Callable[[File], bytes], file: File) -> bytes | Exception:
    try:
        return draw(file)
    except Exception as error:
        return error


_TABLE = (
    Library(
        "plotly.basedatatypes",
        "BaseFigure",
        r"plotly\.Figure(Widget)?",
        ("show", "_ipython_display_"),
        _write_plotly,
        plotly_in,
        _draw_plotly,
        "kaleido",
        ("png", "svg", "pdf"),
    ),
    Library(
        "altair",
        "TopLevelMixin",
        r"altair\.\w*Chart",
        ("_repr_mimebundle_", "show"),
        _write_altair,
        altair_in,
        _draw_altair,
        "vl_convert",
        ("png", "svg", "pdf"),
    ),
)
