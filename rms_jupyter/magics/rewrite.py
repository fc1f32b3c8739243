"""How does a ``%%rms`` cell become Python that runs as any other cell does?

The first line becomes a text, so that the others stay where they are, and tracebacks and `await` are as usual. Then the
tree is rewritten: functions get a decorator, the body of ``%%rms run`` goes into a ``with`` block, and of a
``%%rms cell`` that the store answers only the definitions are left.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from rms_jupyter.commands.table import verb_named

PYTHON_CELLS = ("", "pipe", "run", "cell")
_FIRST_LINE = re.compile(r"%%rms(?:[ \t]+(?P<line>.*?))?[ \t]*\n?$")
_HOME = "__import__('rms_jupyter.magics.here', fromlist=['here'])"


def mark_cell(lines: list[str]) -> list[str]:
    r"""Turn the first line of a ``%%rms`` cell with Python in it into a text; other cells stay as they are.

    Examples
    --------
    >>> mark_cell(["%%rms run -j 2\n", "x = f(1)\n"])
    ["'%%rms run -j 2'\n", 'x = f(1)\n']
    """
    if not lines or (found := _command(lines[0])) is None:
        return lines
    kind, line = found
    if second := _second(lines):
        return [f"{_HOME}.refuse_second({lines[0].split()[0]!r}, {second!r})\n"]
    if "-h" in line and verb_named(kind, "%%rms").parser.asks_for_help(line):
        return [f"%rms {kind or 'pipe'} {line}\n"]
    return [f"{lines[0].rstrip()!r}\n", *lines[1:]]


def _second(lines: list[str]) -> str:
    """Return the cell magic that stands right below another one, where a cell has its Python; '' if there is none."""
    below = next((line.split()[0] for line in lines[1:] if line.strip()), "")
    return below if below.startswith("%%") else ""


class CellRewriter(ast.NodeTransformer):
    """Rewrites the tree of a marked cell; other trees pass unchanged."""

    def visit(self, node: ast.AST) -> ast.AST:
        """Rewrite a module."""
        if isinstance(node, ast.Module) and node.body and (found := _mark_of(node.body[0])):
            kind, line = found
            if kind == "cell":
                node.body = cell_module().rewritten(line, node.body[1:], node.body[0])
                ast.fix_missing_locations(node)
                return node
            body = [_decorated(statement, "" if kind == "run" else line) for statement in node.body[1:]]
            if kind == "pipe":
                body.insert(_futures(body), _checked(line, body, node.body[0]))
            node.body = _collected(body, line, node.body[0]) if kind == "run" else body
            ast.fix_missing_locations(node)
        return node


def cell_module() -> Any:
    """Import what ``%%rms cell`` needs, when it is used."""
    from rms_jupyter.magics import cell_

    return cell_


def _mark_of(node: ast.stmt) -> tuple[str, str] | None:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return _command(node.value.value)
    return None


def _command(first_line: str) -> tuple[str, str] | None:
    """Give the sub-command of a cell with Python in it, and its options."""
    found = _FIRST_LINE.match(first_line)
    if found is None:
        return None
    name, _, rest = (found["line"] or "").partition(" ")
    if name.startswith("-"):
        name, rest = "", found["line"]
    return (name, rest.strip()) if name in PYTHON_CELLS else None


def _decorated(node: ast.stmt, line: str) -> ast.stmt:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        first = node.decorator_list[0] if node.decorator_list else node
        if node.name.startswith("OUTPUT_"):
            node.decorator_list.insert(0, _at(f"{_HOME}.output_function", first))
        elif not node.name.startswith("_"):
            node.decorator_list.insert(0, _at(f"{_HOME}.pipe_here({node.name!r}, {line!r})", first))
    return node


def _checked(line: str, body: list[ast.stmt], mark: ast.stmt) -> ast.stmt:
    """Make the statement that refuses names of functions that the cell does not define."""
    defined = [node.name for node in body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return ast.copy_location(ast.Expr(_at(f"{_HOME}.refuse_others({line!r}, {defined!r})", mark)), mark)


def _futures(body: list[ast.stmt]) -> int:
    """Count the imports from ``__future__``, which stand before all else."""
    future = (isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in body)
    return next((number for number, is_future in enumerate(future) if not is_future), len(body))


def _collected(body: list[ast.stmt], line: str, mark: ast.stmt) -> list[ast.stmt]:
    """Put a body into ``with here.collecting(line) as _rms_run``; what it has to show at last is shown after it."""
    if body and isinstance(body[-1], ast.Expr):
        keep = ast.parse("_rms_run.last = None").body[0]
        assert isinstance(keep, ast.Assign)
        keep.value = body[-1].value
        body = [*body[:-1], ast.copy_location(keep, body[-1])]
    last = ast.copy_location(ast.parse("_rms_run.last").body[0], body[-1] if body else mark)
    block = ast.parse(f"with {_HOME}.collecting({line!r}) as _rms_run:\n    pass").body[0]
    assert isinstance(block, ast.With)
    block.body = body or block.body
    return [ast.copy_location(block, mark), last]


def _at(code: str, place: ast.AST) -> ast.expr:
    expression = ast.parse(code, mode="eval").body
    for node in ast.walk(expression):
        ast.copy_location(node, place)
    return expression
