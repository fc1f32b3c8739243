"""What was edited in the text of a cell since it ran?  Comments, docstrings and layout do not count."""

from __future__ import annotations

import ast

from rms_jupyter.fingerprint.parsing import parse

_MOST_NAMES = 3


def edited(before: str, now: str) -> str:
    r"""Word what differs between two texts of a ``%%rms`` cell; '' where they say the same.

    Parameters
    ----------
    before, now : str
        With their first lines.

    Examples
    --------
    >>> edited("%%rms\nx = f(1)", "%%rms\nx = f( 1 )  # one")
    ''
    >>> edited("%%rms\ndef f(i): return i\nf(1)", "%%rms\ndef f(i): return i + 1\nf(1)")
    'f edited'
    >>> edited("%%rms\nf(1)", "%%rms run\nf(1)")
    'edited'
    """
    if before.strip() == now.strip():
        return ""
    (first, old_text), (first_now, new_text) = _split(before), _split(now)
    try:
        old, new = _parts(old_text), _parts(new_text)
    except (SyntaxError, ValueError):
        return "edited"
    changed = [name for name in {**new, **old} if old.get(name) != new.get(name)]
    if first != first_now or "" in changed or len(changed) > _MOST_NAMES:
        return "edited"
    return ", ".join(f"{name} {_how(name in old, name in new)}" for name in changed)


def _split(text: str) -> tuple[list[str], str]:
    first, _, rest = text.strip().partition("\n")
    return first.split(), rest


def _parts(text: str) -> dict[str, str]:
    """The definitions of a cell by their names, and under '' all else, in its order."""
    parts: dict[str, str] = {"": ""}
    for node in parse(text).body:
        name = node.name if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else ""
        parts[name] = parts.get(name, "") + ast.dump(_WithoutDocstrings().visit(node))
    return parts


def _how(was: bool, now: bool) -> str:
    return "edited" if was and now else "added" if now else "removed"


class _WithoutDocstrings(ast.NodeTransformer):
    def _visit_definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.AST:
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return self.generic_visit(node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _visit_definition
