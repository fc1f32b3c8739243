"""What does a definition look up while it is made?

Its decorators, defaults, bases and what a class's body reads; and what the cell's own functions read that run then, as
decorators and ``__init_subclass__`` do.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def needed_at_once(node: ast.stmt, made_by: Mapping[str, ast.stmt]) -> set[str]:
    r"""Return the names that a definition looks up while it is made; `made_by` are the cell's definitions by name.

    Examples
    --------
    >>> enter, one = ast.parse("def enter(f): LIST.append(f)\n@enter\ndef one(): return N").body
    >>> sorted(needed_at_once(one, {"enter": enter}))
    ['LIST', 'enter']
    """
    at_once = list(_run_at_once(node))
    found = _loaded_in(at_once)
    todo = [part for inner in at_once for part in _code_run_by(inner, made_by)]
    seen: set[int] = set()
    while todo:
        part = todo.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        read = _loaded_in(ast.walk(part)) - _local_to(part)
        found |= read
        todo += [made_by[name] for name in read if name in made_by]
    return found


def _run_at_once(node: ast.AST) -> Iterator[ast.AST]:
    """Walk over what runs when a statement does: all but the bodies of functions."""
    yield node
    if isinstance(node, (*_FUNCTIONS, ast.Lambda)):
        parts: list[ast.AST] = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        if isinstance(node, _FUNCTIONS):
            parts += [*node.decorator_list, *filter(None, [node.returns])]
            parts += [a.annotation for a in ast.walk(node.args) if isinstance(a, ast.arg) and a.annotation]
    else:
        parts = list(ast.iter_child_nodes(node))
    for part in parts:
        yield from _run_at_once(part)


def _code_run_by(node: ast.AST, made_by: Mapping[str, ast.stmt]) -> Iterator[ast.AST]:
    """The cell's definitions that run when a decorator, a call, or the head of a class does."""
    called: list[ast.expr] = [node.func] if isinstance(node, ast.Call) else []
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        called += node.decorator_list
    if isinstance(node, ast.ClassDef):
        called += [keyword.value for keyword in node.keywords]
        for base in filter(None, map(made_by.get, _loaded_in(node.bases))):
            yield from _run_when_inherited_from(base, made_by)
    yield from (made_by[name] for expression in called for name in _loaded_in(ast.walk(expression)) & made_by.keys())


def _run_when_inherited_from(base: ast.stmt, made_by: Mapping[str, ast.stmt]) -> Iterator[ast.AST]:
    """What runs when a class is made from another one; bases are defined before, so that this ends."""
    if isinstance(base, ast.ClassDef):
        yield from (part for part in base.body if isinstance(part, _FUNCTIONS) and part.name == "__init_subclass__")
        names = _loaded_in([keyword.value for keyword in base.keywords])
        yield from (made_by[name] for name in names & made_by.keys())
        for above in (made_by.get(name) for name in _loaded_in(base.bases)):
            if above is not None and above.lineno < base.lineno:
                yield from _run_when_inherited_from(above, made_by)


def _loaded_in(nodes: Iterator[ast.AST] | list[ast.AST] | list[ast.expr]) -> set[str]:
    return set(filter(None, map(loaded, nodes)))


def loaded(node: ast.AST) -> str:
    """Return the name that a node reads; '' for none."""
    return node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) else ""


def _local_to(part: ast.AST) -> set[str]:
    """Names that are a function's own: its parameters, and what it assigns without saying ``global``."""
    if not isinstance(part, (*_FUNCTIONS, ast.Lambda)):
        return set()
    inner = list(ast.walk(part))
    declared = {name for node in inner if isinstance(node, ast.Global) for name in node.names}
    stored = {node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return {node.arg for node in inner if isinstance(node, ast.arg)} | (stored - declared)
