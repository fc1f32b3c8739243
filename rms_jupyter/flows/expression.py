"""What does an expression over the parents' outputs say?  Checked, and evaluated with nothing else at hand; pure."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Mapping
from types import CodeType
from typing import Any, NoReturn

from rms_jupyter.errors import RmsError, words_of

_FUNCTIONS: dict[str, Any] = {
    f.__name__: f for f in (abs, all, any, bool, float, int, len, max, min, round, sorted, str, sum, tuple)
}
_METHODS = frozenset({"startswith", "endswith", "lower", "upper", "strip", "split", "get", "keys", "values", "items"})
_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.Compare, ast.Eq,
    ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot, ast.BinOp, ast.Add, ast.Sub,
    ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.IfExp, ast.Call, ast.Name, ast.Load, ast.Constant, ast.Tuple,
    ast.List, ast.Dict, ast.Set, ast.Subscript, ast.Slice, ast.Attribute,
)  # fmt: skip
_LONGEST = 1000


class Expression:
    """An expression over names.

    Parameters
    ----------
    text : str
    names : collection of str
        Those that it may use, beside a few of Python's functions and methods of text.
    whose : str
        What it belongs to, for messages.

    Raises
    ------
    RmsError
        If it is not an expression, or uses anything else.

    Examples
    --------
    >>> is_brave = Expression("quality == 'the Brave' and len(knight) > 7", ["knight", "quality"], "melt")
    >>> is_brave({"knight": "Lancelot", "quality": "the Brave"})
    True
    """

    def __init__(self, text: str, names: Collection[str], whose: str) -> None:
        self.text, self._names, self._whose = text, tuple(names), whose
        self._code = self._compiled()

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """Evaluate it.

        Raises
        ------
        RmsError
            If that raises anything.
        """
        try:
            return eval(self._code, {"__builtins__": {}, **_FUNCTIONS, **values})
        except Exception as error:
            shown = ", ".join(f"{name}={value!r:.60}" for name, value in values.items() if name in self._used)
            raise RmsError(
                f"{self._whose}: {self.text!r} cannot be evaluated where {shown or 'it stands'}: "
                f"{type(error).__name__}: {words_of(error)[:200]}",
                hint="mend the expression",
            ) from None

    def _compiled(self) -> CodeType:
        if len(self.text) > _LONGEST:
            self._refuse("is too long")
        try:
            with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
                tree = ast.parse(self.text.strip(), mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            self._refuse("is not an expression")
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        self._used: set[str] = set()
        for node in ast.walk(tree):
            self._check(node, id(node) in called)
        return compile(tree, f"<{self._whose}>", "eval")

    def _check(self, node: ast.AST, is_called: bool) -> None:
        if not isinstance(node, _ALLOWED):
            self._refuse(f"uses {type(node).__name__}, which is not allowed here")
        if isinstance(node, ast.Name):
            self._used.add(node.id)
            if not (node.id in _FUNCTIONS if is_called else node.id in self._names):
                self._refuse(f"uses {node.id}", f"there are: {', '.join(self._names)}")
        elif isinstance(node, ast.Attribute):
            if node.attr.startswith("_") or (is_called and node.attr not in _METHODS):
                self._refuse(f"uses .{node.attr}, which is not allowed here")
        elif is_called:
            self._refuse("calls what has no name")

    def _refuse(
        self, why: str, hint: str = "write a condition on the parents' names: quality == 'the Brave'"
    ) -> NoReturn:
        raise RmsError(f"{self._whose}: {self.text[:100]!r} {why}", hint=hint)
