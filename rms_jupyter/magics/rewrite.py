"""How does a ``%%rms`` cell become Python that runs as any other cell does?

The first line becomes a call that marks the cell, line by line where it was, so that tracebacks and `await` are as
usual. Then the tree is rewritten: functions get a decorator, and the body of ``%%rms run`` goes into a ``with`` block.
"""

from __future__ import annotations

import ast
import re

from rms_jupyter.magics.commands import PYTHON_CELLS

_FIRST_LINE = re.compile(r"%%rms(?:[ \t]+(?P<line>.*?))?[ \t]*\n?$")
_MARK = "__rms_cell__"
_HOME = "__import__('rms_jupyter.magics.here', fromlist=['here'])"


def mark_cell(lines: list[str]) -> list[str]:
    r"""Turn the first line of a ``%%rms`` cell with Python in it into a mark; other cells stay as they are.

    Examples
    --------
    >>> mark_cell(["%%rms run -j 2\n", "x = f(1)\n"])
    ["__rms_cell__('run', '-j 2')\n", 'x = f(1)\n']
    """
    found = _FIRST_LINE.match(lines[0]) if lines else None
    if found is None:
        return lines
    name, _, rest = (found["line"] or "").partition(" ")
    if name.startswith("-"):
        name, rest = "", found["line"]
    if name not in PYTHON_CELLS:
        return lines
    return [f"{_MARK}({name!r}, {rest.strip()!r})\n", *lines[1:]]


class CellRewriter(ast.NodeTransformer):
    """Rewrites the tree of a marked cell; other trees pass unchanged."""

    def visit(self, node: ast.AST) -> ast.AST:
        """Rewrite a module."""
        if isinstance(node, ast.Module) and node.body and (found := _mark_of(node.body[0])):
            kind, line = found
            body = [_decorated(statement, kind, line) for statement in node.body[1:]]
            node.body = _collected(body, line, node.body[0]) if kind == "run" else body
            ast.fix_missing_locations(node)
        return node


def _mark_of(node: ast.stmt) -> tuple[str, str] | None:
    if not isinstance(node, ast.Expr) or not isinstance(call := node.value, ast.Call):
        return None
    if not isinstance(call.func, ast.Name) or call.func.id != _MARK:
        return None
    kind, line = (argument.value for argument in call.args if isinstance(argument, ast.Constant))
    return str(kind), str(line)


def _decorated(node: ast.stmt, kind: str, line: str) -> ast.stmt:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        first = node.decorator_list[0] if node.decorator_list else node
        if node.name.startswith("OUTPUT_"):
            node.decorator_list.insert(0, _at(f"{_HOME}.output_function", first))
        elif not node.name.startswith("_"):
            options = line if kind == "pipe" else None
            node.decorator_list.insert(0, _at(f"{_HOME}.pipe_here({node.name!r}, {options!r})", first))
    return node


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
