"""How is a lineage shown as text?"""

from __future__ import annotations

from html import escape
from typing import Any

from rms_jupyter.handles.wording import duration, size
from rms_jupyter.store.lineage import Graph, Node

_FOLD_FROM = 4
_DEEPEST = 60


class Lineage:
    """What something was made from, and what was made from it.

    Attributes
    ----------
    nodes : list of Node
        Nearest first.
    edges : list of (int, int, str)
        From, to, role; in the direction of the data.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.nodes = sorted(graph.nodes.values(), key=lambda node: (abs(node.depth), node.id))
        self.edges = graph.edges

    @property
    def tasks(self) -> list[Node]:
        """The tasks among the nodes."""
        return [node for node in self.nodes if node.kind == "task"]

    @property
    def files(self) -> list[str]:
        """Paths of the files among the nodes."""
        return [node.path for node in self.nodes if node.path]

    def params(self) -> list[dict[str, Any]]:
        """Every parameter and global of the tasks, one row each: ``pipe``, ``name``, ``value``."""
        return [
            {"pipe": node.pipe, "name": name, "value": value, "task": node.id}
            for node in self.tasks
            for name, value in {**node.args, **node.globals}.items()
        ]

    def __len__(self) -> int:
        return len(self.nodes)

    def __str__(self) -> str:
        root = self._graph.nodes.get(self._graph.root)
        if root is None:
            return "(nothing on record)"
        lines = [describe(root)]
        above, below = _neighbours(self._graph)
        seen = {root.id}
        _branch(self._graph, above, root.id, "", lines, seen)
        if below.get(root.id):
            lines.append("used for")
            _branch(self._graph, below, root.id, "", lines, {root.id})
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f'<pre style="line-height:1.35;white-space:pre;overflow-x:auto">{escape(str(self))}</pre>'


def describe(node: Node) -> str:
    """Word a node in one line."""
    status = "" if node.status in ("current", "done") else f"  [{node.status}]"
    if node.kind == "task":
        args = ", ".join(f"{name}={_literal(value)}" for name, value in node.args.items())
        read = ", ".join(f"{name}={_literal(value)}" for name, value in node.globals.items())
        where = f"  cell [{node.cell}]" if node.cell else ""
        return f"{node.pipe}({args}{'; ' + read if read else ''})  {duration(node.seconds)}{where}{status}"
    if node.path:
        return f"{node.path}  {size(node.size)}  #{node.digest[:8]}{status}"
    given = f"  given in cell [{node.cell}]" if node.kind == "given" and node.cell else ""
    given = given or ("  given" if node.kind == "given" else "")
    return f"{node.type} {_brief(node.preview, 60)}  #{node.digest[:8]}{given}{status}"


def _literal(value: Any) -> str:
    return _brief(f'"{value}"' if isinstance(value, str) and not value.startswith("<") else str(value))


def _brief(text: str, width: int = 40) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _neighbours(graph: Graph) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for source, target, _ in graph.edges:
        above.setdefault(target, []).append(source)
        below.setdefault(source, []).append(target)
    return above, below


def _branch(
    graph: Graph, next_to: dict[int, list[int]], ident: int, indent: str, lines: list[str], seen: set[int]
) -> None:
    """Add the lines of everything behind a node; alike siblings are folded, what was shown before is not repeated."""
    if len(indent) > 3 * _DEEPEST:
        lines.append(f"{indent}└─ …")
        return
    groups = _alike([graph.nodes[i] for i in dict.fromkeys(next_to.get(ident, ())) if i in graph.nodes])
    for number, group in enumerate(groups):
        last = number == len(groups) - 1
        node = group[0]
        times = f" ×{len(group):,}" if len(group) > 1 else ""
        again = node.id in seen and next_to.get(node.id)
        lines.append(f"{indent}{'└─ ' if last else '├─ '}{describe(node)}{times}{'  (see above)' if again else ''}")
        if not again:
            seen.update(member.id for member in group)
            _branch(graph, next_to, node.id, indent + ("   " if last else "│  "), lines, seen)


def _alike(nodes: list[Node]) -> list[list[Node]]:
    """Group nodes of one pipe or type, where there are several."""
    groups: dict[tuple[str, str], list[Node]] = {}
    for node in nodes:
        groups.setdefault((node.kind, node.pipe or node.type), []).append(node)
    return [
        part for group in groups.values() for part in ([group] if len(group) >= _FOLD_FROM else [[n] for n in group])
    ]
