"""Which segments does a flow have, and which follows which?  A subset of DOT, read into a graph; pure."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError as _Cycle
from graphlib import TopologicalSorter
from typing import Any

from rms_jupyter.errors import CycleError, RmsError

Edge = tuple[str, str]
Statement = tuple[str, ...]  # A segment that stands alone, or a parent and its child.

_WHOLE = re.compile(r"(?:\s|//[^\n]*\n|/\*.*?\*/|#[^\n]*\n)*(?:strict\b\s*)?(?:di)?graph\b", re.IGNORECASE | re.DOTALL)
_WORD = re.compile(r'->|;|[A-Za-z_][A-Za-z0-9_]*+|"[^"\\\n]+"')
_SIGNS = ("", "->", ";")
_WORDS = rf"(?:\s|{_WORD.pattern})*"
_SIMPLE = re.compile(
    rf"\s*digraph(?:\s+(?P<name>[A-Za-z_][A-Za-z0-9_]*))?\s*\{{(?P<inner>{_WORDS})\}}\s*|(?P<bare>{_WORDS})", re.ASCII
)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = frozenset({"node", "edge", "graph", "digraph", "subgraph", "strict"})
_QUOTED = r'"(?:\\.|[^"\\])*"'
_NO_CODE = re.compile(
    rf"(?P<quoted>{_QUOTED})|//[^\n]*|/\*.*?\*/|^\s*#[^\n]*|<[^<>]*(?:<[^<>]*>[^<>]*)*>", re.DOTALL | re.MULTILINE
)
_EDGE = re.compile(rf"(?P<begin>{_QUOTED}|[\w.:]+)(?:\s*--\s*(?P<end>{_QUOTED}|-?[\w.:]+))?", re.DOTALL)
_parsing = threading.Lock()  # pyparsing keeps what it has come to in globals.


@dataclass(frozen=True)
class FlowGraph:
    """The segments of a flow.

    Attributes
    ----------
    segments : tuple of str
        Each after those that it needs; else as they were written.
    parents : mapping of str to tuple of str
        For each segment, the segments whose outputs it gets, as they were written.
    name : str
        What the digraph is called, if it is.
    """

    segments: tuple[str, ...]
    parents: Mapping[str, tuple[str, ...]]
    name: str = ""

    @property
    def edges(self) -> list[Edge]:
        """From each parent to its child."""
        return [(parent, name) for name in self.segments for parent in self.parents[name]]

    def ancestors(self, name: str) -> list[str]:
        """All segments that a segment rests on, the first of them first."""
        found, open_ends = set(self.parents[name]), list(self.parents[name])
        while open_ends:
            new = [parent for parent in self.parents[open_ends.pop()] if parent not in found]
            found.update(new)
            open_ends += new
        return [segment for segment in self.segments if segment in found]

    def to_dot(self, labels: Mapping[str, str] | None = None) -> str:
        r"""Write the graph as DOT.

        Parameters
        ----------
        labels : mapping of str to str, optional
            What is written on the segments.

        Examples
        --------
        >>> print(parse("a -> b; \"my seg\" -> b").to_dot())
        digraph {
          a;
          "my seg";
          b;
          a -> b;
          "my seg" -> b;
        }
        """
        shown = labels or {}
        nodes = [f"{_quoted(n)} [label={_labelled(shown[n])}]" if n in shown else _quoted(n) for n in self.segments]
        lines = [*nodes, *(f"{_quoted(a)} -> {_quoted(b)}" for a, b in self.edges)]
        return "\n".join(["digraph {", *(f"  {line};" for line in lines), "}"])


def parse(dot: str) -> FlowGraph:
    """Read a graph: ``a -> b -> c; d -> c``, with or without ``digraph { … }`` around it.

    Raises
    ------
    RmsError
        If it is not DOT, or names no segment; the message has the line.
    CycleError
        If segments wait for each other; the message names them.

    Examples
    --------
    >>> graph = parse("knights -> melt; quality -> melt;")
    >>> graph.segments, graph.parents["melt"]
    (('knights', 'quality', 'melt'), ('knights', 'quality'))
    """
    names: dict[str, dict[str, None]] = {}
    called, statements = _plainly_written(dot) or _written_in_dot(dot)
    for edge in statements:
        for name in edge:
            names.setdefault(name, {})
        if len(edge) == 2:
            names[edge[1]][edge[0]] = None
    if not names:
        raise RmsError("the flow has no segments", hint='write their graph: s.flow("a -> b; c -> b")')
    parents = {name: tuple(own) for name, own in names.items()}
    return FlowGraph(_in_order(parents), parents, called)


def _in_order(parents: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    try:
        return tuple(TopologicalSorter(parents).static_order())
    except _Cycle as cycle:
        names = " → ".join(cycle.args[1])
        raise CycleError(f"these segments wait for each other: {names}", hint="take one arrow out") from None


def _plainly_written(dot: Any) -> tuple[str, list[Statement]] | None:
    """Read names and arrows, and nothing else of DOT: to load what reads all of it takes a quarter of a second."""
    whole = _SIMPLE.fullmatch(dot) if type(dot) is str else None
    if whole is None:
        return None
    words = _WORD.findall(whole["inner"] or whole["bare"] or "")
    if not _KEYWORDS.isdisjoint(map(str.lower, [*words, whole["name"] or ""])):
        return None
    found: list[Statement] = []
    before, last = "", ""
    for word in words:
        if word not in _SIGNS:
            found.append((last, _name(word)) if before == "->" else (_name(word),))
            last = _name(word)
        elif before in _SIGNS:
            return None
        before = word
    return (whole["name"] or "", found) if found and before != "->" else None


def _written_in_dot(dot: str) -> tuple[str, Iterator[Statement]]:
    graph = _digraph(dot)
    return _name(graph.get_name() or ""), _statements(graph)


def _digraph(dot: str) -> Any:
    if type(dot) is not str:
        raise RmsError(f"a flow is written as text, not as {type(dot).__name__}", hint='s.flow("a -> b; c -> b")')
    is_whole = _WHOLE.match(dot) is not None
    graph = _parsed(dot if is_whole else f"digraph {{\n{dot}\n}}", 0 if is_whole else 1)
    if graph.get_type() != "digraph":
        raise RmsError("a flow is a directed graph", hint="write digraph { a -> b }, or only a -> b")
    if graph.get_subgraphs():
        raise RmsError("a flow has no subgraphs", hint="write their arrows one by one: a -> b; a -> c")
    _refuse_undirected(dot)
    return graph


def _refuse_undirected(dot: str) -> None:
    """Refuse ``a -- b``, which pydot takes for an arrow."""
    for found in _EDGE.finditer(_NO_CODE.sub(lambda skipped: skipped["quoted"] or " ", dot)):
        if end := found["end"]:
            raise RmsError(
                f"the edge {found['begin']} -- {end} has no direction", hint=f"write {found['begin']} -> {end}"
            )


def _statements(graph: Any) -> Iterator[tuple[str, ...]]:
    """Yield each segment that stands alone, and each pair of parent and child, as they were written."""
    found: list[tuple[int, tuple[str, ...]]]
    found = [(node.get_sequence(), (_name(node.get_name()),)) for node in graph.get_nodes() if _is_segment(node)]
    found += [(edge.get_sequence(), tuple(_ends(edge))) for edge in graph.get_edges()]
    yield from (names for _, names in sorted(found, key=lambda pair: pair[0]))


def _parsed(text: str, before: int) -> Any:
    from pyparsing import ParseBaseException

    try:
        with _parsing, warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # pydot's.
            from pydot.dot_parser import GraphParser

            graphs = GraphParser.parser.parse_string(text, parse_all=True)
    except (ParseBaseException, RecursionError) as error:
        line, number = getattr(error, "line", ""), getattr(error, "lineno", before) - before
        where = f" in line {number}: {line.strip()[:80]}" if line.strip() and number > 0 else ""
        raise RmsError(f"the flow is not valid DOT{where}", hint="write: a -> b -> d; c -> d; c -> e") from None
    if len(graphs) != 1:
        raise RmsError("a flow is one graph", hint="write one digraph, or call s.flow once for each")
    return graphs[0]


def _is_segment(node: Any) -> bool:
    return str(node.get_name()) not in _KEYWORDS  # Those set defaults: node [shape=box].


def _ends(edge: Any) -> Iterator[str]:
    for end in (edge.get_source(), edge.get_destination()):
        if not isinstance(end, str):
            raise RmsError("a flow has no subgraphs", hint="write their arrows one by one: a -> b; a -> c")
        yield _name(end)


def _name(written: str) -> str:
    """Return a name without the quotes and the port that DOT allows."""
    text = str(written)
    if text.startswith('"'):
        return text[1 : text.rindex('"')].replace('\\"', '"')
    return text.partition(":")[0]


def _quoted(name: str) -> str:
    is_plain = _PLAIN.fullmatch(name) and name.lower() not in _KEYWORDS
    return name if is_plain else '"' + name.replace('"', '\\"') + '"'


def _labelled(text: str) -> str:
    """Write a text in quotes as a label, where a backslash begins a sign of another meaning."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
