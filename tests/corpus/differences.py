"""What differs between two runs of a notebook, but for what differs between two plain runs too?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.corpus.watched import Output, Shown
from tests.corpus.ways import Account, Cell

_NUMBER = re.compile(r"0x[0-9a-fA-F]+|[-+]?\d[\d.,]*(e[-+]?\d+)?( ?(ns|μs|µs|us|ms|s|min|h|%)\b)?")
_CELLS_FILE = re.compile(r"(ipykernel_\d+/)?\b\d{5,}\.py(:\d+|, line \d+)")
_TIMEIT_DOUBTS = re.compile(r"The slowest run took [\d.]+ times longer than the fastest\..*\n?")
_RAN = re.compile(r"\bran [\d<]")
_HIT = re.compile(r"\bhits?\b, saved")
_CHANGES = ("never_run", "code_changed", "input_changed")


@dataclass(frozen=True)
class Difference:
    """One thing that is other than in a plain run."""

    where: str
    what: str
    plain: str = ""
    here: str = ""

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}"]
        if self.plain or self.here:
            lines += [f"    plain: {_short(self.plain)}", f"    here:  {_short(self.here)}"]
        return "\n".join(lines)


def differences(cells: list[Cell], here: Account, plain: Account, twin: Account) -> list[Difference]:
    """Compare a run with a plain one.

    Parameters
    ----------
    cells : list of Cell
    here, plain : Account
        The run, and the plain one that it should equal.
    twin : Account
        Another plain run: what differs between the two plain ones is compared by its shape.
    """
    if here.died:
        return [Difference("the kernel", here.died)]
    found = []
    for i, cell in enumerate(cells):
        by_shape = cell.marks.get("compare") == "shape"
        triple = (here.cells[i].outputs, plain.cells[i].outputs, twin.cells[i].outputs)
        found += _of_outputs(_where(i, cell), *triple, by_shape)
    by_chance = {f"(Out[{i + 1}])" for i, cell in enumerate(cells) if cell.marks.get("compare") == "shape"}
    steady = {name: value for name, value in plain.variables.items() if name not in by_chance}
    found += _of_variables(here.variables, steady, twin.variables)
    return [*found, *_of_aliases(here.aliases, plain.aliases, twin.aliases)]


def changed_hits(cells: list[Cell], again: Account, first: Account) -> list[Difference]:
    """Find the cells that came from the store, but show other than when they ran, be it at random."""
    return [
        Difference(_where(i, cells[i]), "shows on a hit what it did not show when it ran", _show(was), _show(now))
        for i, (now, was) in enumerate(zip(again.cells, first.cells, strict=False))
        if is_hit(now) and _seen(now) != _seen(was)
    ]


@dataclass(frozen=True)
class Rerun:
    """A pipe that ran, where everything had been computed before."""

    place: int
    where: str
    why: str
    must: str

    @property
    def is_said(self) -> bool:
        """Whether a line says why it is not answered from the store, and nothing had changed, or the notebook says so."""
        return bool(self.why) and (bool(self.must) or not self.why.startswith(_CHANGES))

    def __str__(self) -> str:
        return f"{self.where}: ran again{f', as it must: {self.must}' if self.must else ''} ({self.why or 'no reason'})"


def reruns(cells: list[Cell], again: Account) -> list[Rerun]:
    """Find what ran in a second run."""
    found = []
    for i, shown in enumerate(again.cells):
        for part in (part for remark in shown.remarks for part in remark.split(" · ")):
            if _RAN.search(part) and not part.startswith("rms: "):
                why = part.partition(": ")[2]
                raises = "it raises" if why.startswith("failed_before") or is_failed(shown) else ""
                found.append(Rerun(i, _where(i, cells[i]), why, cells[i].marks.get("runs", raises)))
    return found


def is_failed(shown: Shown) -> bool:
    """Whether a cell ended with an exception."""
    return any(output["kind"] == "error" for output in shown.outputs)


def is_hit(shown: Shown) -> bool:
    """Whether a cell was answered from the store, whole."""
    remarks = [remark for remark in shown.remarks if not remark.startswith("rms: ")]
    return any(_HIT.search(remark) for remark in remarks) and not any(_RAN.search(remark) for remark in remarks)


def _where(i: int, cell: Cell) -> str:
    first = next((line for line in cell.code.splitlines() if line.strip()), "")
    return f"cell {i + 1} ({first[:50]})"


def _of_outputs(
    where: str, here: list[Output], plain: list[Output], twin: list[Output], by_shape: bool
) -> Iterator[Difference]:
    kinds, kinds_here = [_kind(o) for o in plain], [_kind(o) for o in here]
    if kinds != kinds_here:
        if not (kinds != [_kind(o) for o in twin] and by_shape):
            yield Difference(where, "shows other outputs", _show(Shown(plain)), _show(Shown(here)))
        return
    if by_shape:
        return
    twins: list[Output | None] = list(twin) if [_kind(o) for o in twin] == kinds else [None] * len(plain)
    for mine, other, third in zip(here, plain, twins, strict=True):
        for part, text in _texts(other).items():
            third_text = _texts(third)[part] if third is not None else None
            if not is_same_text(_texts(mine)[part], text, third_text):
                what = f"{other['kind']} differs" + (f" ({part})" if part != "text" else "")
                is_picture = part.startswith("image/") and part != "image/svg+xml"
                yield Difference(where, what, *(() if is_picture else _where_apart(text, _texts(mine)[part])))


def is_same_text(here: str, plain: str, twin: str | None) -> bool:
    """Whether a text is the plain one, but for the lines in which two plain ones differ; of these, words must agree."""
    if here == plain or twin is None:
        return True
    lines, lines_here, lines_twin = (text.splitlines() for text in (plain, here, twin))
    if len(lines) != len(lines_twin):
        return True
    return len(lines) == len(lines_here) and all(map(_is_same_line, lines_here, lines, lines_twin))


def _is_same_line(here: str, plain: str, twin: str) -> bool:
    if plain == twin:
        return here == plain
    skeletons = [" ".join(_NUMBER.sub(" # ", line).split()) for line in (here, plain, twin)]
    return skeletons[1] != skeletons[2] or skeletons[0] == skeletons[1]


def _of_variables(here: dict[str, Any], plain: dict[str, Any], twin: dict[str, Any]) -> Iterator[Difference]:
    for name, value in plain.items():
        where = f"variable {name}"
        if name not in here:
            yield Difference(where, "is lost", value["shown"])
        elif name not in twin:
            continue
        elif value["all"] == twin[name]["all"]:
            mine = here[name]
            if mine["type"] != value["type"]:
                was, now = f"{value['type']} {value['shown']}", f"{mine['type']} {mine['shown']}"
                yield Difference(where, "has another type", was, now)
            elif mine["all"] != value["all"]:
                yield Difference(where, "has another value", *_apart(value, mine))
        elif value["type"] == twin[name]["type"] and (value["type"], value["size"]) != (
            here[name]["type"],
            here[name]["size"],
        ):
            yield Difference(where, "has another type or size", value["shown"], here[name]["shown"])
    for name in here.keys() - plain.keys():
        if not name.startswith("("):
            yield Difference(f"variable {name}", "is not there in a plain run", "", here[name]["shown"])


def _of_aliases(here: list[list[str]], plain: list[list[str]], twin: list[list[str]]) -> Iterator[Difference]:
    for group in plain:
        if group in twin and group not in here:
            yield Difference(" is ".join(group[:4]), "one object in a plain run, not here")
    for group in here:
        if group not in plain and group not in twin:
            yield Difference(" is ".join(group[:4]), "one object here, not in a plain run")


def _seen(shown: Shown) -> list[tuple[str, dict[str, str]]]:
    return [(_kind(output), _texts(output)) for output in shown.outputs]


def _kind(output: Output) -> str:
    if output["kind"] in ("stream", "error"):
        return f"{output['kind']} {output['name']}"
    return f"{output['kind']} {' '.join(sorted(output['data']))}"


def _texts(output: Output) -> dict[str, str]:
    """Return what an output shows; a cell's file is named by its text, in which the magic is."""
    texts = {"text": output["text"]} if "text" in output else {k: str(v) for k, v in output["data"].items()}
    return {part: _TIMEIT_DOUBTS.sub("", _CELLS_FILE.sub("<cell>", text)) for part, text in texts.items()}


def _show(shown: Shown) -> str:
    return " | ".join(f"[{_kind(output)}] {_gist(output)}" for output in shown.outputs) or "nothing"


def _gist(output: Output) -> str:
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    return " ".join(str(text).split())[:80]


def _where_apart(plain: str, here: str) -> tuple[str, str]:
    """Return the first lines that differ."""
    lines, lines_here = plain.splitlines(), here.splitlines()
    for line, line_here in zip(lines, lines_here, strict=False):
        if line != line_here:
            return line, line_here
    common = min(len(lines), len(lines_here))
    return "\n".join(lines[common:]) or "(no more)", "\n".join(lines_here[common:]) or "(no more)"


def _apart(plain: dict[str, Any], here: dict[str, Any]) -> tuple[str, str]:
    if plain["shown"] != here["shown"] and min(len(plain["shown"]), len(here["shown"])) < 300:
        return plain["shown"], here["shown"]
    a, b = plain["all"], here["all"]
    path = ""
    while isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        i = next(i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y)
        a, b, path = a[i], b[i], f"{path}[{i}]"
    return f"{path} {a}", f"{path} {b}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 300 else f"{text[:297]}…"
