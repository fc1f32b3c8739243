"""How is source parsed while other threads parse theirs?

Python 3.11 counts the depth of the recursion once for all threads, and raises a SystemError where one is interrupted by
another: a notebook cell, say, that is begun while a run in the background describes its code.
"""

from __future__ import annotations

import ast
import contextlib

_TIMES = 100


def parse(text: str) -> ast.Module:
    """Parse source; once more where another thread came in between.

    Raises
    ------
    SyntaxError
        If it cannot be parsed.

    Examples
    --------
    >>> ast.unparse(parse("x=1"))
    'x = 1'
    """
    for _ in range(_TIMES):
        with contextlib.suppress(SystemError):
            return ast.parse(text)
    return ast.parse(text)
