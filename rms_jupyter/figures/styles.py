"""In which named styles are figures saved, beside as they are?  One is matplotlib's, or the project's:

.. code-block:: toml

    [tool.rms_jupyter]
    figures = true
    figure_styles = ["paper", "thesis"]           # those that are used

    [tool.rms_jupyter.styles]
    thesis = "seaborn-v0_8-paper"                 # one of matplotlib's, by another name

    [tool.rms_jupyter.styles.paper]
    style = "bmh"                                 # what it begins with
    formats = ["pdf"]
    size = [3.5, 2.5]                             # of the page, in inches
    dpi = 600
    plotly = "simple_white"                       # a template of plotly's to begin with
    altair = "latimes"                            # a theme of altair's
    "font.size" = 8                               # any other of matplotlib's settings
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

from rms_jupyter.errors import RmsError
from rms_jupyter.figures.formats import Formats, formats_named, settings_of

VARIABLE = "RMS_FIGURE_STYLES"
_OWN = ("style", "formats", "size", "dpi", "plotly", "altair")


class Style(Struct, frozen=True, array_like=True):
    """A style by its name: one of matplotlib's that it begins with, settings of its own, and how it is saved.

    `template` and `theme` are what it begins with in plotly and in altair.
    """

    name: str
    base: str = ""
    own: dict[str, Any] = {}
    formats: Formats = ()
    size: tuple[float, float] | None = None
    dpi: float | None = None
    template: str = ""
    theme: str = ""

    def settings(self) -> dict[str, Any]:
        """Return the settings of matplotlib's that it makes."""
        from matplotlib import RcParams, style

        known: Any = style.library
        own: Any = RcParams(self.own)
        return {**known.get(self.base, {}), **own}


class FigureSettings(Struct, frozen=True, array_like=True):
    """The formats in which figures are saved, none if they are not; and the styles in which they are saved, too."""

    formats: Formats = ()
    styles: tuple[Style, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.formats)


def styles_named(names: Iterable[str], folder: str | os.PathLike[str]) -> tuple[Style, ...]:
    """Return styles by their names, of the project in a folder and of matplotlib.

    Raises
    ------
    RmsError
        If one is not known, or is not valid.
    """
    known = settings_of(Path(folder)).get("styles", {})
    if not isinstance(known, dict):
        raise RmsError(
            "[tool.rms_jupyter.styles] in pyproject.toml is not valid", hint='write paper = "bmh", or a table'
        )
    return tuple(_style(name, known.get(name, name), known) for name in dict.fromkeys(names))


def styles_wanted(folder: str | os.PathLike[str]) -> tuple[Style, ...]:
    """Return the styles that the environment names, else those that `pyproject.toml` does.

    Raises
    ------
    RmsError
        If a setting cannot be understood.
    """
    text = os.environ.get(VARIABLE)
    named = settings_of(Path(folder)).get("figure_styles", []) if text is None else text.replace(",", " ").split()
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise RmsError("[tool.rms_jupyter] figure_styles in pyproject.toml is not valid", hint='write ["paper"]')
    return styles_named(named, folder)


def _style(name: str, said: Any, known: dict[str, Any]) -> Style:
    if isinstance(said, str):
        said = {"style": said}
    if not isinstance(said, dict) or not name.replace("-", "_").isidentifier():
        raise RmsError(f"the style {name!r} is not valid", hint='write paper = "bmh", or a table')
    base, size, dpi = said.get("style", ""), said.get("size"), said.get("dpi")
    is_size = isinstance(size, list) and len(size) == 2 and all(map(_is_length, size))
    if not (size is None or is_size) or not (dpi is None or _is_length(dpi)):
        raise RmsError(f"size or dpi of the style {name!r} is not valid", hint="write size = [3.5, 2.5], dpi = 600")
    template, theme = (said.get(library, "") for library in ("plotly", "altair"))
    if not isinstance(template, str) or not isinstance(theme, str):
        hint = 'write plotly = "simple_white", altair = "latimes"'
        raise RmsError(f"plotly or altair of the style {name!r} is not valid", hint=hint)
    own = {key: value for key, value in said.items() if key not in _OWN}
    formats = formats_named(said.get("formats", ()))
    style = Style(name, base, own, formats, tuple(size) if size else None, dpi, template, theme)
    _check(style, known)
    return style


def _is_length(value: Any) -> bool:
    return type(value) in (int, float) and value > 0


def _check(style: Style, known: dict[str, Any]) -> None:
    from matplotlib import style as matplotlib_style

    if style.base and style.base not in matplotlib_style.library:
        names = ", ".join([*known, *matplotlib_style.available])
        raise RmsError(f"there is no style {style.base!r}", hint=f"there are: {names}")
    try:
        style.settings()
    except (KeyError, ValueError) as error:
        raise RmsError(f"the style {style.name!r} is not valid: {error}", hint="see matplotlib.rcParams") from None
    if style.template and importlib.util.find_spec("plotly"):
        _check_template(style)
    if style.theme and importlib.util.find_spec("altair"):
        _check_theme(style)


def _check_template(style: Style) -> None:
    from plotly import io as plotly_io

    try:
        plotly_io.templates[style.template]
    except (KeyError, ValueError):
        hint = f"there are: {', '.join(plotly_io.templates)}"
        raise RmsError(
            f"there is no template {style.template!r} of plotly, for the style {style.name!r}", hint=hint
        ) from None


def _check_theme(style: Style) -> None:
    import altair

    if style.theme not in altair.theme.names():
        hint = f"there are: {', '.join(altair.theme.names())}"
        raise RmsError(f"there is no theme {style.theme!r} of altair, for the style {style.name!r}", hint=hint)
