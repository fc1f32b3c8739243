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
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rms_jupyter.errors import words_of
from rms_jupyter.figures.formats import PAGES, Formats
from rms_jupyter.figures.mark import TaskMark, marked
from rms_jupyter.fingerprint.nesting import everything
from rms_jupyter.upon_import import UponImport

_MOST_LOOKED_AT = 1000  # Parts of a value that is given.
_alone = threading.Lock()


class Library(NamedTuple):
    """A library whose figures are saved when they are given or shown.

    Its class of figures and the module that has it; a pattern of their types' names; the methods that show one; how one
    is written down, with the text of a mark; how a file is made from that; the package that it needs to draw pictures,
    and their formats.
    """

    module: str
    figure: str
    types: str
    shown_by: tuple[str, ...]
    write_down: Callable[[Any, str], str]
    draw: Callable[[str, str], bytes]
    artist: str
    pictures: Formats

    def holds(self, value: Any) -> bool:
        """Whether a value is a figure of the library."""
        module = sys.modules.get(self.module)
        return module is not None and isinstance(value, getattr(module, self.figure, ()))

    def files(self, written: str, formats: Formats, mark: TaskMark) -> tuple[dict[str, bytes], list[str]]:
        """Make the files of a figure that is written down, by format, and say what could not be made.

        They are pages, and of the pictures that are wanted those that can be drawn here.
        """
        pages = [name for name in formats if name in PAGES] or PAGES
        pictures = [name for name in formats if name in self.pictures and self.has_artist()]
        made: dict[str, bytes] = {}
        problems = []
        for name in (*pictures, *pages):
            try:
                made[name] = marked(self._file(written, name), name, mark)
            except Exception as error:
                problems.append(f"as {name}: {words_of(error)}")
        return made, problems

    def picture(self, figure: Any) -> bytes:
        """Draw a figure as PNG."""
        return self.draw(self.write_down(figure, ""), "png")

    def has_artist(self) -> bool:
        """Whether that is installed which draws its pictures."""
        return importlib.util.find_spec(self.artist) is not None

    def _file(self, written: str, format: str) -> bytes:
        return written.encode() if format == "json" else self.draw(written, format)


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


def _draw_plotly(written: str, format: str) -> bytes:
    from plotly import io as plotly_io

    figure = json.loads(written)
    if format == "html":
        page: str = plotly_io.to_html(figure, include_plotlyjs="cdn", div_id="figure", validate=False)
        return page.encode()
    picture: bytes = plotly_io.to_image(figure, format=format, validate=False)
    return picture


def _write_altair(figure: Any, mark: str) -> str:
    import altair

    with _alone, altair.data_transformers.enable("default", max_rows=None):  # With its data, wherever it is shown.
        written = figure.to_dict()
    return json.dumps({"usermeta": {**written.pop("usermeta", {}), "task": mark}, **written})


def _draw_altair(written: str, format: str) -> bytes:
    import altair

    named: Any = format
    buffer: Any = io.BytesIO() if format in ("png", "pdf") else io.StringIO()
    with _alone, altair.data_transformers.enable("default", max_rows=None):
        altair.Chart.from_dict(json.loads(written)).save(buffer, format=named)
    data: str | bytes = buffer.getvalue()
    return data.encode() if isinstance(data, str) else data


_TABLE = (
    Library(
        "plotly.basedatatypes",
        "BaseFigure",
        r"plotly\.Figure(Widget)?",
        ("show", "_ipython_display_"),
        _write_plotly,
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
        _draw_altair,
        "vl_convert",
        ("png", "svg", "pdf"),
    ),
)
