"""Which modules does a cell import after it has done what decides what they are?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_DECIDES = re.compile(
    r"(os\.)?(environ|putenv|unsetenv|chdir|fchdir)\b|sys\.(path|modules|meta_path|path_hooks|warnoptions)\b"
    r"|(site|importlib|warnings|locale)\.|(matplotlib|mpl)\.(use|rc)"
)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def imported_after_settings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    r"""Yield the modules that are imported after what they may look at was set, and how that is written.

    Examples
    --------
    >>> list(imported_after_settings(ast.parse("import os\nos.environ['ENABLE_X64'] = '1'\nimport jax.numpy as jnp")))
    [('jax.numpy', 'os.environ')]
    """
    setting = ""
    for node in _in_order(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, setting) for alias in node.names if setting)
        elif isinstance(node, ast.ImportFrom) and setting and node.module and not node.level:
            yield node.module, setting
        elif isinstance(node, (ast.Attribute, ast.Call)) and (found := _DECIDES.match(written := ast.unparse(node))):
            setting = setting or found[0].rstrip(".") or written


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """Walk in the order of the text over what runs at the cell's own level."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, _SCOPES):
            yield from _in_order(child)
