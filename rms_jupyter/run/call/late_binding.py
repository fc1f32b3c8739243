"""Will a function that is being registered find its loop variable changed when it is called?

``for k in (1, 2): pipes.append(rms.pipe(lambda x: x * k))`` makes two functions that share one `k`, and both see the
last. It is found where it happens: the function is made in a loop that is running now (of this frame or one that called
it), and the loop binds a name that the function looks up only when it is called: in a closure any name, in the
notebook's variables what a ``for`` counts through (others may be meant as inputs).
"""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, FunctionType
from typing import Any

from rms_jupyter.errors import RegistrationError
from rms_jupyter.fingerprint.references import Name, references

_LEAVES = frozenset("RETURN_VALUE RETURN_CONST RAISE_VARARGS RERAISE".split())
_GOES = frozenset("JUMP_FORWARD JUMP_BACKWARD JUMP_BACKWARD_NO_INTERRUPT".split())
_BINDS_TARGETS = ("STORE_", "UNPACK_", "EXTENDED_ARG")


def refuse_late_binding(function: Callable[..., Any]) -> None:
    """Refuse a function that is made in a running loop and refers to the loop's variable.

    Raises
    ------
    RegistrationError
        Naming the variable.
    """
    plain = inspect.unwrap(getattr(function, "func", function))
    if not isinstance(plain, FunctionType):
        return
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if any(plain.__code__ in _all_inside(constant) for constant in _codes_in(frame.f_code)):
            for name in _rebound(frame, plain):
                raise RegistrationError(
                    f"{plain.__name__} refers to {name}, which the loop around it rebinds: "
                    f"a later call would find the last {name}",
                    hint=f"make it an argument with a default: {name}={name}; or functools.partial(function, {name})",
                )
        frame = frame.f_back


def _rebound(frame: FrameType, function: FunctionType) -> Iterator[str]:
    loop = _running_loop(frame, function.__code__)
    for instruction in loop:
        if instruction.opname == "STORE_DEREF" and instruction.argval in function.__code__.co_freevars:
            yield instruction.argval
    if function.__globals__ is frame.f_globals:
        reads = {reference.name for reference in references(function.__code__) if isinstance(reference, Name)}
        for instruction in _for_targets(loop):
            if _is_global(instruction, frame) and instruction.argval in reads:
                yield instruction.argval


def _running_loop(frame: FrameType, code: CodeType) -> list[dis.Instruction]:
    """The instructions that will run again after the frame's current one and before it runs again, in order.

    Empty unless the function is made among them.
    """
    instructions = list(dis.get_instructions(frame.f_code))
    place = {instruction.offset: number for number, instruction in enumerate(instructions)}
    after = [list(_next(number, instructions, place)) for number in range(len(instructions))]
    before: list[list[int]] = [[] for _ in instructions]
    for number, following in enumerate(after):
        for other in following:
            before[other].append(number)
    now = max(number for offset, number in place.items() if offset <= frame.f_lasti)
    around = sorted(_reachable(now, after) & _reachable(now, before))
    loop = [instructions[number] for number in around]
    made_here = any(isinstance(i.argval, CodeType) and code in _all_inside(i.argval) for i in loop)
    return loop if made_here else []


def _next(number: int, instructions: list[dis.Instruction], place: dict[int, int]) -> Iterator[int]:
    instruction = instructions[number]
    if instruction.opcode in dis.hasjrel or instruction.opcode in dis.hasjabs:
        yield place[instruction.argval]
    if instruction.opname not in _GOES | _LEAVES and number + 1 < len(instructions):
        yield number + 1


def _reachable(start: int, edges: list[list[int]]) -> set[int]:
    """What can be reached in one step or more."""
    found: set[int] = set()
    waiting = list(edges[start])
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += edges[number]
    return found


def _for_targets(loop: list[dis.Instruction]) -> list[dis.Instruction]:
    """The instructions that bind what a ``for`` counts through."""
    targets, binding = [], False
    for instruction in loop:
        binding = instruction.opname == "FOR_ITER" or (binding and instruction.opname.startswith(_BINDS_TARGETS))
        if binding:
            targets.append(instruction)
    return targets


def _is_global(instruction: dis.Instruction, frame: FrameType) -> bool:
    return instruction.opname == "STORE_GLOBAL" or (
        instruction.opname == "STORE_NAME" and frame.f_locals is frame.f_globals
    )


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    return (constant for constant in code.co_consts if isinstance(constant, CodeType))


def _all_inside(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in _codes_in(code):
        yield from _all_inside(inner)
