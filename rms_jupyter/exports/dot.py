"""How does a lineage look as a graph for Graphviz?"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from rms_jupyter.naming import Called, call_name
from rms_jupyter.store.ask.lineage import LineageGraph, Node


def dot_of(graph: LineageGraph) -> str:
    """Write a graph in the DOT language; nothing in a label is markup."""
    lines = ["digraph lineage {", '  rankdir="LR";', '  node [fontname="sans-serif", fontsize=11];']
    lines += [f"  n{node.id} [{_look(node)}, label={_quoted(_label(node))}];" for node in _sorted(graph)]
    for source, target, role in sorted(set(graph.edges)):
        if source in graph.nodes and target in graph.nodes:
            lines.append(f"  n{source} -> n{target}" + (f" [label={_quoted(role)}];" if role else ";"))
    return "\n".join([*lines, "}"]) + "\n"


def _sorted(graph: LineageGraph) -> list[Node]:
    return [graph.nodes[ident] for ident in sorted(graph.nodes)]


def _look(node: Node) -> str:
    status = "" if node.status in ("current", "done") else ', style="dashed"'
    return ('shape="box"' if node.kind == "task" else 'shape="note"' if node.path else 'shape="ellipse"') + status


def _label(node: Node) -> str:
    if node.kind == "task":
        return call_name(Called(node.pipe, Raw(msgspec.json.encode(node.args))), 60)
    return node.path or f"{node.type} {node.preview}".strip()


def _quoted(text: str) -> str:
    r"""Quote a text for DOT.

    Examples
    --------
    >>> print(_quoted('a "b" \\N'))
    "a \"b\" \\N"
    """
    plain = "".join(c if c.isprintable() else " " for c in text)
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
