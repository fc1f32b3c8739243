"""How does a figure of plotly's or altair's look in a named style?

Both are descriptions, so a style is put into what is written down: matplotlib's settings of fonts, colours and
backgrounds as a template of plotly's or a configuration of altair's, beneath what the figure's code says itself.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from rms_jupyter.figures.styles import Style

_CSS_INCH, _POINT_INCH = 96, 72  # Pixels of plotly's and of altair's.
_NARROW = {"l": 10, "r": 10, "t": 30, "b": 10}  # On a small page; axes make room for what is beside them.
_ALTAIRS_TEXTS = ("axis", "legend", "header")


class Look(NamedTuple):
    """What a style says that is not matplotlib's alone; None or nothing where it leaves it open."""

    font_size: float | None
    font_family: str | None
    text_colour: str | None
    cycle: list[str]
    page_colour: str | None
    plot_colour: str | None
    grid_colour: str | None


def look_of(style: Style) -> Look:
    """Return what a style's settings of matplotlib say to any library."""
    from matplotlib.colors import to_hex

    said = style.settings()

    def colour(name: str) -> str | None:
        value = said.get(name, "none")
        return None if isinstance(value, str) and value.lower() in ("none", "inherit") else to_hex(value)

    cycle = said["axes.prop_cycle"].by_key().get("color", []) if "axes.prop_cycle" in said else []
    return Look(
        said.get("font.size"),
        ", ".join(_families(said)) or None,
        colour("text.color"),
        [to_hex(one) for one in cycle],
        colour("figure.facecolor"),
        colour("axes.facecolor"),
        colour("grid.color"),
    )


def plotly_in(written: str, style: Style) -> str:
    """Return a figure of plotly's, written down as JSON, in a style; its code's own template is left as it is."""
    look = look_of(style)
    figure = json.loads(written)
    layout = figure["layout"]
    found = layout.get("template", {})
    is_own = bool(found) and found != _template(None)
    old = found.get("layout", {})
    size = look.font_size and look.font_size * _CSS_INCH / _POINT_INCH
    said = _what_is_said(
        font=_what_is_said(size=size, family=look.font_family, color=look.text_colour),
        colorway=look.cycle,
        paper_bgcolor=look.page_colour,
        plot_bgcolor=look.plot_colour,
        xaxis=_what_is_said(gridcolor=look.grid_colour),
        yaxis=_what_is_said(gridcolor=look.grid_colour),
        margin=_NARROW if style.size else None,
    )
    if is_own:
        new = {**found, "layout": _merged(said, old)}
    else:
        base = _template(style.template) if style.template else found
        new = {**base, "layout": _merged(base.get("layout", {}), said)}
    if new != {**found, "layout": old}:
        layout["template"] = new
        before, after = (one.get("colorway", []) for one in (old, new["layout"]))
        figure["data"] = _exchanged(figure["data"], before, after)
    if style.size:
        layout |= {"width": style.size[0] * _CSS_INCH, "height": style.size[1] * _CSS_INCH}
    return json.dumps(figure)


def altair_in(written: str, style: Style) -> str:
    """Return a chart of altair's, written down as JSON, in a style; what its code configures is left as it is."""
    look = look_of(style)
    chart = json.loads(written)
    text = _what_is_said(
        labelFontSize=look.font_size,
        titleFontSize=look.font_size,
        labelColor=look.text_colour,
        titleColor=look.text_colour,
    )
    said = _what_is_said(
        font=look.font_family,
        background=look.page_colour,
        mark=_what_is_said(color=look.cycle and look.cycle[0]),
        range=_what_is_said(category=look.cycle),
        view=_what_is_said(fill=look.plot_colour),
        title=_what_is_said(fontSize=look.font_size and look.font_size * 1.2, color=look.text_colour),
        text=_what_is_said(fontSize=look.font_size),
        **dict.fromkeys(_ALTAIRS_TEXTS, text),
    )
    if look.grid_colour:
        said["axis"] = {**text, "gridColor": look.grid_colour}
    theme = _theme(style.theme) if style.theme else {}
    if theme or said:
        chart = _merged(theme, {"config": said} if said else {}, chart)
    if style.size and _is_one_plot(chart):
        width, height = (length * _POINT_INCH for length in style.size)
        chart |= {"width": width, "height": height, "autosize": {"type": "fit", "contains": "padding"}}
    return json.dumps(chart)


def _families(said: dict[str, Any]) -> list[str]:
    families = said.get("font.family", [])
    families = [families] if isinstance(families, str) else families
    return [one for family in families for one in (*said.get(f"font.{family}", ()), family)]


def _template(name: str | None) -> dict[str, Any]:
    """Return a template of plotly's, the usual one if none is named."""
    from plotly import io as plotly_io

    name = name or plotly_io.templates.default
    if not name:
        return {}
    text = plotly_io.to_json({"template": plotly_io.templates[name]}, validate=False)
    found: dict[str, Any] = json.loads(text)["template"]
    return found


def _theme(name: str) -> dict[str, Any]:
    import altair

    with altair.theme.enable(name):
        found: Any = altair.theme.get()
    theme: dict[str, Any] = json.loads(json.dumps(found()))
    return theme


def _is_one_plot(chart: dict[str, Any]) -> bool:
    """Whether a chart can be made as large as is said: that is so for one plot, not for several side by side."""
    encoding = chart.get("encoding", {})
    return ("mark" in chart or "layer" in chart) and not {"row", "column", "facet"} & {*encoding}


def _what_is_said(**parts: Any) -> dict[str, Any]:
    return {name: value for name, value in parts.items() if value}


def _merged(*layers: dict[str, Any]) -> dict[str, Any]:
    """Put one dict upon another, with those in them; the later one counts."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            own = merged.get(name)
            merged[name] = _merged(own, value) if isinstance(own, dict) and isinstance(value, dict) else value
    return merged


def _exchanged(value: Any, before: list[str], after: list[str], name: str = "") -> Any:
    """Let what has the first colour of one cycle have the first one of another: plotly.express names them."""
    if isinstance(value, dict):
        return {key: _exchanged(part, before, after, key) for key, part in value.items()}
    if isinstance(value, list):
        return [_exchanged(part, before, after, name) for part in value] if not name else value
    if name == "color" and isinstance(value, str) and value in before and after:
        return after[before.index(value) % len(after)]
    return value
