"""Is what a pipe shall ignore, or keep secret, something that it has?"""

from __future__ import annotations

import builtins
import difflib
import inspect
from collections.abc import Collection, Iterator
from types import CodeType

from rms_jupyter.errors import RegistrationError
from rms_jupyter.fingerprint.version import MISSING, CodeVersion
from rms_jupyter.run.call.body import Body


def refuse_unknown(name: str, body: Body, named: Collection[str], arguments: Collection[str], purpose: str) -> None:
    """Refuse names that are no argument, and nothing in the code: a slip would leave in what was to be left out.

    Raises
    ------
    RegistrationError
        With names that are like it.
    """
    unknown = [item for item in named if item not in arguments]
    if not unknown:
        return
    inner = inspect.unwrap(body.function)
    code = getattr(inner, "__code__", None)
    known = {*arguments, *getattr(inner, "__globals__", ()), *(_names_in(code) if code else ())}
    if known.issuperset(unknown):
        return
    version = body.describe(())
    known.update(_labels_of(version), version.literals)
    is_missing = (value is MISSING and not hasattr(builtins, name) for _, name, value in version.watched)
    missing = any(is_missing)  # What is defined later may have it.
    for item in unknown:
        if item not in known and not missing:
            near = difflib.get_close_matches(item, known, 3) or sorted(arguments)
            raise RegistrationError(
                f"{name} has nothing called {item!r} to {purpose}", hint=f"did you mean {' or '.join(near)}?"
            )


def _names_in(code: CodeType) -> Iterator[str]:
    """Names that a function looks up, or that its closure holds."""
    yield from (*code.co_names, *code.co_freevars)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _labels_of(version: CodeVersion) -> Iterator[str]:
    """Everything that `ignore` may name in a description: globals, parts, and the last words of parts."""
    for label in (*version.parts, *(read.label for read in version.reads)):
        yield label
        yield label.rpartition(" ")[2]
    yield version.obstacle.partition(":")[0].rpartition(" ")[2]  # As the warning names it.
