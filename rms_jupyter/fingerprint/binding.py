"""Which parameter does each argument go to, defaults applied?

For each function a twin with the same signature is made that returns its arguments as a tuple, so that binding runs at
the speed of a call and raises the same `TypeError` as the function would.
"""

from __future__ import annotations

import inspect
import operator
import types
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

Bind = Callable[..., tuple[Any, ...]]
_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_MOST = 1000


class Binder:
    """Binds arguments to the parameters of a function.

    Parameters
    ----------
    function : callable
        One without a known signature takes ``*args, **kwargs``.

    Attributes
    ----------
    names : tuple of str
        Parameters in order, those that go by keyword only by name; ``*`` and ``**`` parameters by their plain names.
    bind : callable
        Takes the arguments and gives a tuple of values in the order of `names`.

    Examples
    --------
    >>> def add(i, j=2): ...
    >>> binder = Binder(add)
    >>> binder.names, binder.bind(1), binder.bind(j=5, i=1)
    (('i', 'j'), (1, 2), (1, 5))
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._told = _told_by(function)
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):
            signature = inspect.signature(lambda *args, **kwargs: None)
        self.parameters = sorted(signature.parameters.values(), key=_place)
        self.names = tuple(p.name for p in self.parameters)
        self.bind = _twin(function, self.parameters)
        self._all_positional = all(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in self.parameters)

    def is_of(self, function: Callable[..., Any]) -> bool:
        """Whether a function still has the parameters and defaults that it had."""
        told = _told_by(function)
        return len(told) == len(self._told) and all(map(operator.is_, told, self._told))

    @property
    def required(self) -> list[str]:
        """The parameters that have no default."""
        return [p.name for p in self.parameters if p.default is p.empty and p.kind not in _OPEN]

    def call_arguments(self, values: tuple[Any, ...]) -> tuple[Sequence[Any], dict[str, Any]]:
        """Turn bound values into positional and keyword arguments for the function.

        Defaults of parameters that go by keyword only stay out: some functions written in C refuse to be given them.
        """
        if self._all_positional:
            return values, {}
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for parameter, value in zip(self.parameters, values, strict=True):
            if parameter.kind is parameter.VAR_POSITIONAL:
                args.extend(value)
            elif parameter.kind is parameter.VAR_KEYWORD:
                kwargs.update(value)
            elif parameter.kind is parameter.KEYWORD_ONLY:
                if value is not parameter.default:
                    kwargs[parameter.name] = value
            else:
                args.append(value)
        return args, kwargs


def _told_by(function: Any) -> list[Any]:
    """List what of a function, and of those that it wraps, says what it takes: these can be exchanged."""
    told: list[Any] = []
    while isinstance(function, types.FunctionType) and len(told) < _MOST:
        told += [function.__code__, function.__defaults__, *chain(*(function.__kwdefaults__ or {}).items())]
        function = getattr(function, "__wrapped__", None)
    return told


def _place(parameter: inspect.Parameter) -> tuple[int, str]:
    """Where a parameter stands: the order of those that go by keyword only does not count."""
    return parameter.kind, parameter.name if parameter.kind is parameter.KEYWORD_ONLY else ""


def _twin(function: Callable[..., Any], parameters: list[inspect.Parameter]) -> Bind:
    defaults = {f"_default_{i}": p.default for i, p in enumerate(parameters) if p.default is not p.empty}
    pieces = []
    for i, parameter in enumerate(parameters):
        if parameter.kind is parameter.KEYWORD_ONLY and not any(
            p.kind is p.VAR_POSITIONAL or p.kind is p.KEYWORD_ONLY for p in parameters[:i]
        ):
            pieces.append("*")
        star = "*" * ((parameter.kind is parameter.VAR_POSITIONAL) + 2 * (parameter.kind is parameter.VAR_KEYWORD))
        default = f"=_default_{i}" if f"_default_{i}" in defaults else ""
        pieces.append(f"{star}{parameter.name}{default}")
        if parameter.kind is parameter.POSITIONAL_ONLY and (
            i + 1 == len(parameters) or parameters[i + 1].kind is not parameter.POSITIONAL_ONLY
        ):
            pieces.append("/")
    result = "".join(f"{p.name}, " for p in parameters)
    namespace: dict[str, Any] = dict(defaults)
    exec(f"def twin({', '.join(pieces)}): return ({result})", namespace)
    twin = namespace["twin"]
    name = getattr(function, "__name__", "call")
    twin.__code__ = twin.__code__.replace(co_name=name)
    twin.__name__ = name
    twin.__qualname__ = getattr(function, "__qualname__", name)
    bind: Bind = twin
    return bind
