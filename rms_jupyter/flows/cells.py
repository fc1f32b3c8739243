"""How does a notebook cell become a pipe?

The names that the cell reads become arguments, those it assigns become results; imports, and functions and classes that
do not depend on what the cell assigns, are run as they would be without us. An input that the cell changes in place is
a result too: that is seen when it runs, by comparing digests.
"""

from __future__ import annotations

import ast
import inspect
import symtable
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rms_jupyter.errors import RegistrationError
from rms_jupyter.fingerprint.source import declare_source
from rms_jupyter.fingerprint.values import Undigestable, digest

_SHOW_LAST = "__import__('rms_jupyter.magics.here', fromlist=['here']).show_last"


@dataclass
class CellShape:
    """What a cell is made of.

    Attributes
    ----------
    reads, writes : list of str
        Names it reads from outside, and names it assigns.
    first : list of ast.stmt
        What is run as usual, before: imports, functions, classes.
    body : list of ast.stmt
        What becomes the pipe's function.
    """

    reads: list[str]
    writes: list[str]
    first: list[ast.stmt]
    body: list[ast.stmt]


def shape_of(source: str) -> CellShape:
    r"""Take a cell apart.

    Raises
    ------
    SyntaxError
        As Python would.
    RegistrationError
        If it awaits at its top level, which a pipe cannot.

    Examples
    --------
    >>> shape = shape_of("import math\nc = math.sqrt(a + b)")
    >>> shape.reads, shape.writes
    (['a', 'b', 'math'], ['c'])
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        if "await" in str(error):
            raise RegistrationError(
                "a cell that awaits cannot be a pipe", hint="use %%rms and an async function"
            ) from None
        raise
    table = symtable.symtable(source, "<cell>", "exec")
    assigned = {s.get_name() for s in table.get_symbols() if s.is_assigned() and not s.is_imported()}
    plain = {name for name in assigned if not table.lookup(name).is_namespace()}
    first = [node for node in tree.body if _is_definition(node) and not _names_in(node) & plain]
    body = [node for node in tree.body if node not in first]
    reads = sorted(_outer_reads(table) & _read_before_written(tree, table))
    kept = {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}
    writes = sorted(name for name in plain | kept if not name.startswith("_"))
    return CellShape(reads, writes, first, body)


def function_of(
    shape: CellShape, name: str, inputs: Sequence[str], outputs: Sequence[str], namespace: dict[str, Any], filename: str
) -> Callable[..., dict[str, Any]]:
    """Make the function of a cell: takes its inputs, gives a dict of its results.

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
    body = [*shape.body]
    if body and isinstance(body[-1], ast.Expr):
        shown = ast.parse(f"{_SHOW_LAST}(None)").body[0]
        assert isinstance(shown, ast.Expr) and isinstance(shown.value, ast.Call)
        shown.value.args = [body[-1].value]
        body[-1] = ast.copy_location(shown, body[-1])
    definition = _definition(name, inputs, body, outputs)
    as_written = _definition(name, inputs, shape.body, dict.fromkeys([*outputs, *inputs]))
    module = ast.fix_missing_locations(ast.Module([definition], type_ignores=[]))
    code = compile(module, filename, "exec")
    [inner] = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    function = types.FunctionType(inner, namespace, name)
    function.__module__ = namespace.get("__name__", "__main__")
    declare_source(function, ast.unparse(definition), ast.unparse(as_written))
    return _noticing_changes(function, name, inputs)


def _definition(name: str, inputs: Sequence[str], body: list[ast.stmt], results: Iterable[str]) -> ast.FunctionDef:
    definition = ast.parse(f"def {name}({', '.join(inputs)}): pass").body[0]
    assert isinstance(definition, ast.FunctionDef)
    last = ast.parse(f"return {{k: v for k, v in locals().items() if k in {tuple(results)!r}}}")
    definition.body = [*body, *last.body]
    return definition


def _noticing_changes(
    function: Callable[..., dict[str, Any]], name: str, inputs: Sequence[str]
) -> Callable[..., dict[str, Any]]:
    """Add to the results those inputs that the function has changed in place."""

    def run_cell(*values: Any) -> dict[str, Any]:
        __tracebackhide__ = True
        before = [_digest(value) for value in values]
        results = function(*values)
        for input_name, value, was in zip(inputs, values, before, strict=True):
            if was is not None and input_name not in results and _digest(value) != was:
                results[input_name] = value
        return results

    run_cell.__name__ = run_cell.__qualname__ = name
    run_cell.written_as = function  # type: ignore[attr-defined]
    parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in inputs]
    run_cell.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run_cell


def inputs_of(shape: CellShape, namespace: Mapping[str, Any]) -> list[str]:
    """Choose the names read that hold data; functions, classes and modules count as code."""
    return [name for name in shape.reads if name in namespace and not _is_code(namespace[name])]


def _digest(value: Any) -> bytes | None:
    try:
        return digest(value)
    except Undigestable:
        return None


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))


def _names_in(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _outer_reads(table: symtable.SymbolTable) -> set[str]:
    """Names that the cell, or any function in it, looks up in the notebook."""
    if table.get_type() == "module":
        found = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    else:
        found = {s.get_name() for s in table.get_symbols() if s.is_referenced() and s.is_global()}
    for child in table.get_children():
        found |= _outer_reads(child)
    return found


def _read_before_written(tree: ast.Module, table: symtable.SymbolTable) -> set[str]:
    """Names whose value may come from outside: never assigned, read before that, or assigned only in some branch."""
    loads: dict[str, tuple[int, int]] = {}
    stores: dict[str, tuple[int, int]] = {}
    for node in ast.walk(tree):
        for name, place in _loaded(node):
            loads[name] = min(loads.get(name, place), place)
        for name, place in _stored(node):
            stores[name] = min(stores.get(name, place), place)
    certain = {name for node in tree.body for name, _ in _stored(node)}
    early = {name for name, place in loads.items() if name not in certain or place < stores[name]}
    imported = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_imported()}
    return early | (imported & set(loads)) | (_outer_reads(table) - set(stores))


def _loaded(node: ast.AST) -> list[tuple[str, tuple[int, int]]]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return [(node.id, (node.lineno, node.col_offset))]
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        return [(node.target.id, (node.lineno, node.col_offset))]
    return []


def _stored(node: ast.AST) -> list[tuple[str, tuple[int, int]]]:
    """Names that a statement assigns, and the place from where they hold: behind the value, or behind the target."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [(node.name, (node.lineno, node.col_offset))]
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr, ast.For, ast.AsyncFor)):
        targets = [node.target]
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
    behind = node if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) else None
    return [
        (name.id, (end.end_lineno or 0, end.end_col_offset or 0))
        for target in targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store) and (end := behind or target)
    ]


def _is_code(value: Any) -> bool:
    return isinstance(value, (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)) or (
        callable(value) and hasattr(value, "__wrapped__")
    )
