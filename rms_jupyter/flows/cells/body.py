"""What is a cell as the body of a pipe?  A function of the names that it reads.

The function gives a dict of the names that the cell leaves. It is never called: it tells which code the cell rests on
and which globals that reads, and is what the cell looks like where it is written down.
"""

from __future__ import annotations

import ast
import copy
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rms_jupyter.fingerprint.code import CodeVersion, describe
from rms_jupyter.fingerprint.source import declare_source
from rms_jupyter.flows.cells.shape import CellShape
from rms_jupyter.kept.code import Reads, pieces_of
from rms_jupyter.model import Piece
from rms_jupyter.run.call.body import Body


class CellBody(Body):
    """A cell.

    Parameters
    ----------
    shape : CellShape
    name : str
    inputs, outputs : sequence of str
        Names of arguments, and of results.
    namespace : dict
        The notebook's variables, where functions and modules are looked up.
    filename : str
        Under which tracebacks find the cell's text.
    """

    def __init__(
        self,
        shape: CellShape,
        name: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        namespace: dict[str, Any],
        filename: str,
    ) -> None:
        self.name = name
        self.function = _function_of(shape, name, inputs, outputs, namespace, filename)

    def describe(self, ignore: tuple[str, ...]) -> CodeVersion:
        """Describe the cell's code, and that of what it calls."""
        return describe(self.function, ignore)

    def pieces(self, name: str, reads: Reads) -> dict[str, Piece]:
        """Return the cell as a function, and what it refers to."""
        return pieces_of(self.function, name, reads)


def _function_of(
    shape: CellShape, name: str, inputs: Sequence[str], outputs: Sequence[str], namespace: dict[str, Any], filename: str
) -> Callable[..., dict[str, Any]]:
    """Make the function that describes a cell."""
    body = _as_body(shape)
    kind = ast.AsyncFunctionDef if shape.obstacle == "it awaits" else ast.FunctionDef
    counts = _definition(kind, "cell", (), body, ())
    as_written = _definition(kind, name, inputs, body, list(dict.fromkeys([*outputs, *inputs])))
    code = compile(ast.Module([as_written], type_ignores=[]), filename, "exec")
    [inner] = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    function = types.FunctionType(inner, namespace, name)
    function.__module__ = namespace.get("__name__", "__main__")
    declare_source(function, ast.unparse(counts), ast.unparse(as_written))
    return function


def inputs_of(shape: CellShape, namespace: Mapping[str, Any]) -> list[str]:
    """Choose the names read that hold data, or that the cell assigns too; the others are code."""
    assigned = shape.certain | set(shape.writes)
    return [n for n in shape.reads if n in namespace and (n in assigned or not _is_code(namespace[n]))]


def _as_body(shape: CellShape) -> list[ast.stmt]:
    body = [_Indented().visit(copy.deepcopy(node)) for node in shape.tree.body]
    return [node for node in body if node is not None] or [ast.Pass()]


class _Indented(ast.NodeTransformer):
    """Change what cannot stand in a function."""

    def visit_Global(self, node: ast.Global) -> ast.stmt:
        return ast.Pass()

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        if node.module == "__future__":  # Can stand nowhere but at a beginning.
            return ast.Expr(ast.Constant(ast.unparse(node)))
        if node.names[0].name != "*":
            return node
        return ast.Import([ast.alias(node.module or "", None)])

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        return node


def _definition(kind: Any, name: str, inputs: Sequence[str], body: list[ast.stmt], outputs: Sequence[str]) -> ast.stmt:
    last = f"return {{k: v for k, v in locals().items() if k in {tuple(outputs)!r}}}" if outputs else "pass"
    head = ast.parse(f"def {name}({', '.join(inputs)}):\n    {last}").body[0]
    assert isinstance(head, ast.FunctionDef)
    made = kind(head.name, head.args, [*body, *head.body], [], None, None)
    made.type_params = []
    return ast.fix_missing_locations(ast.copy_location(made, head))  # type: ignore[no-any-return]


def _is_code(value: Any) -> bool:
    return isinstance(value, (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)) or (
        callable(value) and hasattr(value, "__wrapped__")
    )
