"""Which code do all the calls rest on, and how does it stand in one file, each piece once and under a name of its own?

Pieces are the same when their texts are, and all that their names stand for, transitively; two versions of a function
get two names, and the texts that refer to them are edited accordingly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from xxhash import xxh3_128_hexdigest

from rms_jupyter.errors import RmsError
from rms_jupyter.exports.names import UniqueNames
from rms_jupyter.fingerprint.loads import identifiers_of, loads_of, replace_loads
from rms_jupyter.fingerprint.parsing import parse
from rms_jupyter.model import Piece

_LITERAL_DEFAULT = 60


@dataclass
class Unit:
    """A piece of code in the file to be.

    Attributes
    ----------
    label : str
        What its user called it.
    names : dict of str to dict
        What its global names stand for; ``{"piece": key}`` for another unit.
    values : dict of str to object
        The values among them.
    early : set of str
        Names that are read when it is defined.
    """

    piece: Piece
    label: str
    names: dict[str, dict[str, Any]]
    values: dict[str, Any] = field(default_factory=dict)
    early: set[str] = field(default_factory=set)


@dataclass
class CodeWriting:
    """What the code needs to be written: names, and expressions for values.

    Attributes
    ----------
    imported : callable
        Gives the name for a module, or something in it: takes module, attribute, wanted name.
    express, assign : callable
        Give an expression for a value (None if it takes a line of its own), and that line (takes name and value).
    """

    names: UniqueNames
    imported: Callable[[str, str, str], str]
    express: Callable[[Any], str | None]
    assign: Callable[[str, Any], str]
    add_file: Callable[[str, str], None]


class Codebase:
    """The units of code of all calls.

    Parameters
    ----------
    held : callable
        Gives a value that a piece holds.
    """

    def __init__(self, held: Callable[[dict[str, Any]], Any]) -> None:
        self._held = held
        self.units: dict[str, Unit] = {}
        self._objects: dict[int, tuple[Any, str]] = {}

    def add(self, pieces: dict[str, Piece], label: str = "") -> str:
        """Add a piece with all that it refers to (the first of `pieces`); gives its key."""
        keys = {name: _key(pieces, name) for name in pieces}
        root = next(iter(pieces))
        for name, piece in pieces.items():
            if keys[name] not in self.units:
                names = {n: {"piece": keys[r["piece"]]} if "piece" in r else r for n, r in piece.names.items()}
                unit = self.units[keys[name]] = Unit(piece, label if name == root and label else name, names)
                if not self._lost(unit):
                    unit.values = {n: self._held(ref) for n, ref in names.items() if _is_value(ref)}
                    is_text = piece.kind in ("function", "class")
                    unit.early = {x.name for x in loads_of(piece.text) if x.early} if is_text else set(names)
        return keys[root]

    def add_object(self, code: Any, pieces: dict[str, Piece]) -> None:
        """Add a function or class that is found in a value."""
        self._objects[id(code)] = code, self.add(pieces, code.__name__)

    def key_of(self, code: Any) -> str:
        """Give the key of a function or class that was added; '' if it was not."""
        return self._objects.get(id(code), (None, ""))[1]

    def object_keys(self) -> list[str]:
        """Keys of the functions and classes that were found in values."""
        return [key for _, key in self._objects.values()]

    def problem(self, key: str) -> str:
        """Say why a unit cannot be written; '' if it can."""
        for unit in map(self.units.__getitem__, self.reached(key)):
            if lost := self._lost(unit):
                return lost
        return ""

    @staticmethod
    def _lost(unit: Unit) -> str:
        if unit.piece.kind == "lost":
            return f"{unit.label}: {unit.piece.text}"
        reasons = [
            f"{name or 'what is'} in {unit.label}: {ref['lost']}" for name, ref in unit.names.items() if "lost" in ref
        ]
        if "get_ipython" in free_names(unit):
            reasons.append(f"{unit.label} uses magics of IPython")
        return next(iter(reasons), "")

    def reached(self, key: str) -> list[str]:
        """Keys of all units that a unit refers to, itself first."""
        found, pending = {key: None}, [key]
        while pending:
            unit = self.units[pending.pop()]
            codes = [self.key_of(code) for value in unit.values.values() for code in _codes(value, self.key_of)]
            for other in [ref["piece"] for ref in unit.names.values() if "piece" in ref] + codes:
                if other not in found:
                    found[other] = None
                    pending.append(other)
        return list(found)

    def taken(self) -> set[str]:
        """Names that no unit, variable or import of ours may take: those in the texts that are nobody's."""
        return {name for unit in self.units.values() for name in free_names(unit)}

    def locals(self) -> set[str]:
        """All names in the texts: what is put in place of a name must be none of them."""
        texts = [unit.piece.text for unit in self.units.values() if unit.piece.kind in ("function", "class")]
        return {name for text in texts for name in identifiers_of(text)}

    # Writing -------------------------------------------------------------------------------------------------------

    def wanted_name(self, key: str) -> str:
        """What a unit would best be called: as its user calls it."""
        unit = self.units[key]
        label = unit.piece.text if unit.piece.kind == "module" else re.sub(r" \(\d+\)$", "", unit.label)
        return "function" if label == "<lambda>" else label

    def name(self, key: str, writing: CodeWriting) -> str:
        """The name of a unit in the file."""
        if (ref := _alias(self.units[key])) is not None:
            return writing.imported(ref["import"], ref["name"], ref["name"])
        return writing.names.of(("unit", key), self.wanted_name(key), "_v")

    def in_order(self, keys: list[str]) -> list[str]:
        """Order units so that each stands behind what it needs when it is defined."""
        done: dict[str, None] = {}
        begun: set[str] = set()

        def visit(key: str) -> None:
            if key in begun:
                return
            begun.add(key)
            unit = self.units[key]
            needed = [ref["piece"] for name, ref in unit.names.items() if "piece" in ref and name in unit.early]
            needed += [self.key_of(code) for value in unit.values.values() for code in _codes(value, self.key_of)]
            for need in needed:
                visit(need)
                for other in self.reached(need):
                    visit(other)
            done[key] = None

        for key in keys:
            for other in reversed(self.reached(key)):
                visit(other)
        return list(done)

    def text(self, key: str, writing: CodeWriting) -> str:
        """Write a unit down; '' where there is nothing to write."""
        unit, name = self.units[key], self.name(key, writing)
        kind = unit.piece.kind
        if _alias(unit):
            return ""
        if kind == "file":
            writing.add_file(unit.label.removeprefix("file "), unit.piece.text)
            return ""
        lines, inner = self._inner_names(key, unit, writing)
        if kind == "module":
            made = [f"{name} = {writing.imported('types', 'ModuleType', 'ModuleType')}({unit.piece.text!r})"]
            return "\n".join([*lines, *made, *(f"{name}.{n} = {e}" for n, e in inner.items() if e)])
        if kind == "method":
            return "\n".join([*lines, f"{name} = {inner['self']}.{unit.piece.text}"])
        if kind == "partial":
            return "\n".join([*lines, f"{name} = {_partial(inner, writing)}"])
        try:
            text = replace_loads(unit.piece.text, inner)
        except ValueError as error:
            raise RmsError(f"{unit.label} cannot be exported: {error}", hint="rename one of the two") from None
        defined = _defined_in(unit.piece)
        if not defined:
            return "\n".join([*lines, f"{name} = {text}"])
        return "\n".join([*lines, _renamed(text, defined, name) if defined != name else text])

    def _inner_names(self, key: str, unit: Unit, writing: CodeWriting) -> tuple[list[str], dict[str, str]]:
        """Lines that must stand before a unit, and the expressions for its names."""
        lines: list[str] = []
        inner: dict[str, str] = {}
        for name, ref in unit.names.items():
            if name.startswith("import "):
                continue
            if "piece" in ref:
                inner[name] = self.name(ref["piece"], writing)
            elif "import" in ref:
                inner[name] = writing.imported(ref["import"], ref.get("name", ""), name)
            elif "read" in ref:
                inner[name] = (
                    "" if unit.piece.kind == "module" else writing.names.of(("read", ref["read"]), ref["read"])
                )
            elif "logger" in ref:
                inner[name] = f"{writing.imported('logging', '', 'logging')}.getLogger({ref['logger']!r})"
            else:
                inner[name] = self._value(key, unit, name, writing, lines)
        return lines, inner

    def _value(self, key: str, unit: Unit, name: str, writing: CodeWriting, lines: list[str]) -> str:
        value = unit.values[name]
        literal = writing.express(value)
        short = literal is not None and (len(literal) <= _LITERAL_DEFAULT or literal.isidentifier())
        by_itself = unit.piece.kind in ("module", "partial") or name.startswith("_default_")
        if literal is not None and short and by_itself:
            return literal
        wanted = f"{self.name(key, writing)}_{name.removeprefix('_default_').strip('[]')}" if by_itself else name
        variable = writing.names.of(("value", key, name), wanted)
        lines.append(writing.assign(variable, value))
        return variable


def _alias(unit: Unit) -> dict[str, Any] | None:
    """What a unit imports, if that is all it does."""
    is_alias = unit.piece.kind == "partial" and set(unit.names) == {""} and "name" in unit.names[""]
    return unit.names[""] if is_alias else None


def free_names(unit: Unit) -> set[str]:
    """Global names in the text of a unit that stand for nothing on record: builtins."""
    if unit.piece.kind not in ("function", "class"):
        return set()
    return {load.name for load in loads_of(unit.piece.text)} - set(unit.names)


def _is_value(ref: dict[str, Any]) -> bool:
    return not {"piece", "import", "read", "logger", "lost"} & set(ref)


def _key(pieces: dict[str, Piece], root: str) -> str:
    """Identify a piece by its text and all that it refers to, whatever the labels are."""
    order = [root]
    described = []
    for label in order:
        piece = pieces[label]
        names: dict[str, Any] = {}
        for name, ref in piece.names.items():
            if "piece" in ref:
                if ref["piece"] not in order:
                    order.append(ref["piece"])
                ref = {"piece": order.index(ref["piece"])}
            names[name] = ref
        described.append((piece.kind, piece.text, names))
    return xxh3_128_hexdigest(msgspec.json.encode(described, order="deterministic"))


def _codes(value: Any, key_of: Callable[[Any], str], depth: int = 0) -> Iterator[Any]:
    """Find the functions and classes in a value that were added as code."""
    if key_of(value):
        yield value
    elif key_of(type(value)):
        yield type(value)
    elif depth < 5 and isinstance(value, (list, tuple, set, frozenset, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _codes(item, key_of, depth + 1)


def _defined_in(piece: Piece) -> str:
    return getattr(parse(piece.text).body[0], "name", "")


def _renamed(text: str, old: str, new: str) -> str:
    """Give the function or class that a text defines another name."""
    line = parse(text).body[0].lineno - 1
    lines = text.split("\n")
    lines[line] = re.sub(rf"\b(def|class)(\s+){old}\b", rf"\1\2{new}", lines[line], count=1)
    return "\n".join(lines)


def _partial(inner: dict[str, str], writing: CodeWriting) -> str:
    if set(inner) == {""}:
        return inner[""]
    arguments = [text if name.startswith("[") else f"{name}={text}" for name, text in inner.items() if name]
    return f"{writing.imported('functools', '', 'functools')}.partial({', '.join([inner[''], *arguments])})"
