"""How does a finished figure look in another style?

A style says what a figure's code leaves to matplotlib's settings. So of a copy each property that is as the settings
of now make it becomes what the style makes it; what the code has set itself stays. The figure that one sees is not
touched.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import cloudpickle

Settings = Mapping[str, Any]

_DRAWN_WITH = ("mathtext.", "svg.", "pdf.", "ps.", "path.", "agg.", "savefig.")
_FAMILIES = ("font.sans-serif", "font.serif", "font.monospace", "font.cursive", "font.fantasy")
_SCALED = {"xx-small": 0.579, "x-small": 0.694, "small": 0.833, "medium": 1.0, "large": 1.2, "x-large": 1.44}
_SCALED |= {"xx-large": 1.728, "smaller": 0.833, "larger": 1.2}


def restyled(figure: Any, before: Settings, style: Settings) -> Any:
    """Return a copy of a figure of matplotlib's as a style makes it; `before` are the settings it was made with."""
    copy = _copy_of(figure)
    after = {**before, **style}
    for rule in _RULES:
        for artist in rule.artists(copy):
            _change(artist, rule, before, after)
    _exchange_colours(copy, _cycle(before), _cycle(after))
    if tuple(copy.get_size_inches()) == tuple(before["figure.figsize"]):
        copy.set_size_inches(after["figure.figsize"])
    return copy


def drawn_with(style: Settings) -> dict[str, Any]:
    """Choose from a style what counts while a figure is drawn, and is no property of what is in it."""
    return {name: value for name, value in style.items() if name.startswith(_DRAWN_WITH) or name in _FAMILIES}


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Pickles a figure so that its copy is not one of pyplot's."""

    def __init__(self, file: Any, figure: Any) -> None:
        super().__init__(file)
        self._figure = figure

    def reducer_override(self, value: Any) -> Any:
        if value is not self._figure:
            return super().reducer_override(value)
        state = value.__getstate__()
        state.pop("_restore_to_pylab", None)
        return copyreg.__newobj__, (type(value),), state  # type: ignore[attr-defined]


def _copy_of(figure: Any) -> Any:
    file = io.BytesIO()
    _Pickler(file, figure).dump(figure)
    return pickle.loads(file.getvalue())


# What there is in a figure -------------------------------------------------------------------------------------------


def _axes(figure: Any) -> list[Any]:
    return list(figure.findobj(lambda artist: hasattr(artist, "get_xaxis") and hasattr(artist, "spines")))


def _lines(figure: Any) -> Iterator[Any]:
    for axes in _axes(figure):
        yield from axes.lines
    for legend in _legends(figure):
        yield from legend.get_lines()


def _legends(figure: Any) -> list[Any]:
    own = [axes.get_legend() for axes in _axes(figure)]
    return [legend for legend in (*own, *figure.legends) if legend is not None]


def _spines(figure: Any, side: str = "") -> list[Any]:
    return [spine for axes in _axes(figure) for name, spine in axes.spines.items() if side in ("", name)]


def _titles(figure: Any) -> list[Any]:
    return [title for axes in _axes(figure) for title in (axes.title, axes._left_title, axes._right_title)]


def _labels(figure: Any) -> list[Any]:
    return [axis.label for axes in _axes(figure) for axis in (axes.xaxis, axes.yaxis)]


def _ticks(figure: Any, name: str, part: str) -> list[Any]:
    kind = f"get_{part.partition(' ')[0]}_ticks"
    ticks = [tick for axes in _axes(figure) for tick in getattr(getattr(axes, f"{name}axis"), kind)()]
    names = {"label": ("label1", "label2"), "line": ("tick1line", "tick2line"), "grid": ("gridline",)}
    return [getattr(tick, one) for tick in ticks for one in names[part.partition(" ")[2]]]


def _texts(figure: Any) -> Iterator[Any]:
    """Texts that are of no other kind."""
    yield from figure.texts
    for axes in _axes(figure):
        yield from axes.texts


def _all_texts(figure: Any) -> list[Any]:
    from matplotlib.text import Text

    return list(figure.findobj(Text))


def _texts_of_legends(figure: Any) -> list[Any]:
    return [text for legend in _legends(figure) for text in legend.get_texts()]


def _frames(figure: Any) -> list[Any]:
    return [legend.get_frame() for legend in _legends(figure)]


class _Rule(NamedTuple):
    """The name of a setting, the property that it makes, and the artists that have it."""

    setting: str
    property: str
    artists: Callable[[Any], Iterable[Any]]


def _rules_of_ticks(name: str) -> Iterator[_Rule]:
    def part(what: str) -> Callable[[Any], Iterable[Any]]:
        return lambda figure: _ticks(figure, name, what)

    for kind in ("major", "minor"):
        yield _Rule(f"{name}tick.labelsize", "fontsize", part(f"{kind} label"))
        yield _Rule(f"{name}tick.color", "color", part(f"{kind} label"))
        yield _Rule(f"{name}tick.color", "color", part(f"{kind} line"))
        yield _Rule(f"{name}tick.{kind}.size", "markersize", part(f"{kind} line"))
        yield _Rule(f"{name}tick.{kind}.width", "markeredgewidth", part(f"{kind} line"))
    yield _Rule("axes.grid", "visible", part("major grid"))
    yield _Rule("grid.color", "color", part("major grid"))
    yield _Rule("grid.linewidth", "linewidth", part("major grid"))
    yield _Rule("grid.linestyle", "linestyle", part("major grid"))


_RULES = (
    _Rule("figure.facecolor", "facecolor", lambda figure: [figure]),
    _Rule("axes.facecolor", "facecolor", _axes),
    _Rule("axes.axisbelow", "axisbelow", _axes),
    _Rule("axes.edgecolor", "edgecolor", _spines),
    _Rule("axes.linewidth", "linewidth", _spines),
    *(
        _Rule(f"axes.spines.{side}", "visible", lambda figure, side=side: _spines(figure, side))  # type: ignore[misc]
        for side in ("left", "right", "top", "bottom")
    ),
    _Rule("lines.linewidth", "linewidth", _lines),
    _Rule("lines.markersize", "markersize", _lines),
    _Rule("axes.titlesize", "fontsize", _titles),
    _Rule("axes.titleweight", "fontweight", _titles),
    _Rule("axes.labelsize", "fontsize", _labels),
    _Rule("axes.labelcolor", "color", _labels),
    _Rule("axes.labelweight", "fontweight", _labels),
    _Rule("legend.fontsize", "fontsize", _texts_of_legends),
    _Rule("legend.facecolor", "facecolor", _frames),
    _Rule("legend.edgecolor", "edgecolor", _frames),
    _Rule("font.size", "fontsize", _texts),
    *_rules_of_ticks("x"),
    *_rules_of_ticks("y"),
    _Rule("text.color", "color", lambda figure: [*_titles(figure), *_texts(figure), *_texts_of_legends(figure)]),
    _Rule("font.family", "fontfamily", _all_texts),
)


def _change(artist: Any, rule: _Rule, before: Settings, after: Settings) -> None:
    old, new = (_value(rule, settings) for settings in (before, after))
    found = _plain(rule.property, getattr(artist, f"get_{rule.property}")())
    if rule.property.endswith("color") and artist.get_alpha() is not None:
        found = (*found[:3], 1.0)  # It stays as transparent as it is.
    if old != new and found == old:
        getattr(artist, f"set_{rule.property}")(new)


def _value(rule: _Rule, settings: Settings) -> Any:
    value = settings[rule.setting]
    if value == "inherit":
        value = settings[f"axes.{rule.property}"]
    if rule.property == "fontsize":
        return settings["font.size"] * _SCALED[value] if isinstance(value, str) else float(value)
    return _plain(rule.property, value)


def _plain(name: str, value: Any) -> Any:
    from matplotlib.colors import to_rgba

    if name.endswith("color"):
        return to_rgba(value)
    if name == "fontfamily":
        return [value] if isinstance(value, str) else list(value)
    return value


# Colours of the cycle -----------------------------------------------------------------------------------------------


def _cycle(settings: Settings) -> list[str]:
    return list(settings["axes.prop_cycle"].by_key().get("color", []))


def _exchange_colours(figure: Any, before: list[str], after: list[str]) -> None:
    """Let what has the first colour of one cycle have the first one of another."""
    from matplotlib.collections import Collection
    from matplotlib.colors import to_rgba
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if before == after or not after:
        return
    place: dict[Any, Any] = {
        to_rgba(colour)[:3]: to_rgba(after[n % len(after)])[:3] for n, colour in reversed([*enumerate(before)])
    }

    def new(colour: Any) -> Any:
        own = tuple(float(part) for part in colour)
        return (*place[own[:3]], *own[3:]) if own[:3] in place else own

    names = {Line2D: ("color", "markerfacecolor", "markeredgecolor"), Patch: ("facecolor", "edgecolor")}
    for kind, properties in names.items():
        for artist in figure.findobj(kind):
            for name in properties:
                found = getattr(artist, f"get_{name}")()
                if not isinstance(found, str) or found not in ("none", "None", "auto"):
                    getattr(artist, f"set_{name}")(new(to_rgba(found)))
    for artist in figure.findobj(Collection):
        if artist.get_array() is None:
            artist.set_facecolor([new(colour) for colour in artist.get_facecolor()])
            artist.set_edgecolor([new(colour) for colour in artist.get_edgecolor()])
