"""Who asks for something, and what does the code do with the answer?

Read from the bytecode behind the call that asks, because that is there wherever the code came from.
"""

from __future__ import annotations

import dis
import functools
from types import CodeType, FrameType

from rms_jupyter.fingerprint.origin import OURS, kind_of

_MAKING = frozenset({"makedirs", "mkdir", "remove", "unlink", "rmtree", "rmdir"})
_NAMING = frozenset({"Path", "join", "dirname", "str"})
_PLAIN_STEPS = ("LOAD_", "CALL", "PUSH_NULL", "PRECALL", "KW_NAMES", "POP_TOP", "NOT_TAKEN", "NOP", "EXTENDED_ARG")
_TEXT_STEPS = ("FORMAT_", "BUILD_", "BINARY_OP", "CONVERT_VALUE")
_BEFORE_JUMP = frozenset({"UNARY_NOT", "TO_BOOL", "EXTENDED_ARG"})


def is_users(frame: FrameType) -> bool:
    """Whether code that runs is the user's: neither Python's own, nor a package's, nor ours."""
    return _is_users(frame.f_globals.get("__name__"), frame.f_code.co_filename)


@functools.lru_cache(maxsize=4096)
def _is_users(module: str | None, filename: str) -> bool:
    return not filename.startswith("<frozen") and kind_of(module) == "user"


def is_ours(frame: FrameType) -> bool:
    """Whether code that runs is of this package."""
    return str(frame.f_globals.get("__name__")).partition(".")[0] == OURS


@functools.lru_cache(maxsize=1024)
def is_guard(code: CodeType, place: int) -> bool:
    """Whether the answer decides about nothing but whether something is made or removed.

    Parameters
    ----------
    code : code
    place : int
        Of the call that asks.

    Examples
    --------
    >>> def guards(exists, path):
    ...     if not exists(path):
    ...         os.makedirs(path)
    ...     return path
    >>> def chooses(exists, path):
    ...     return "old" if exists(path) else "new"
    >>> def asks(function):
    ...     return function(lambda path: sys._getframe(1).f_lasti >= 0 and places.append(sys._getframe(1).f_lasti), ".")
    >>> import sys; places = []; os = type("Makes", (), {"makedirs": print})
    >>> _ = asks(guards), asks(chooses)
    .
    >>> is_guard(guards.__code__, places[0]), is_guard(chooses.__code__, places[1])
    (True, False)
    """
    steps = _steps_from(code, place)
    number = 1
    while number < len(steps) and steps[number].opname in _BEFORE_JUMP:
        number += 1
    if number >= len(steps) or not steps[number].opname.startswith("POP_JUMP_") or "NONE" in steps[number].opname:
        return False
    end, guarded = steps[number].argval, steps[number + 1 :]
    inside = [step for step in guarded if step.offset < end]
    names = [step.argval for step in inside if step.opname.startswith("LOAD_") and isinstance(step.argval, str)]
    makes, calls = _MAKING.intersection(names), sum(step.opname.startswith("CALL") for step in inside)
    return (
        bool(makes)
        and calls == sum(name in _MAKING or name in _NAMING for name in names)
        and all(step.opname.startswith(_PLAIN_STEPS + _TEXT_STEPS) for step in inside)
    )


@functools.lru_cache(maxsize=1024)
def takes_only(code: CodeType, place: int) -> str:
    """Return the one attribute of the answer that is looked at; '' if more may be."""
    steps = _steps_from(code, place)
    step = steps[1] if len(steps) > 1 else None
    return step.argval if step is not None and step.opname == "LOAD_ATTR" else ""


def _steps_from(code: CodeType, place: int) -> list[dis.Instruction]:
    """Return the call at a place (or the cache behind it), and what follows."""
    steps = list(dis.get_instructions(code))
    return steps[max(number for number, step in enumerate(steps) if step.offset <= place) :]
