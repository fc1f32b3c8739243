"""Which resources stand within the arguments of a recorded task, where plain values were kept?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rms_jupyter.fingerprint.values import Undigestable, digest
from rms_jupyter.model import Reference, TaskRecord, resource_id


def with_nested_inputs(
    names: Sequence[str],
    values: Sequence[Any],
    task_id: int,
    task: TaskRecord,
    digest_of: Callable[[int], str],
    handle: Callable[[int], Any],
) -> tuple[Any, ...]:
    """Put what stands for resources in place of their values, within lists, tuples and dicts.

    Parameters
    ----------
    names, values : sequence
        Arguments of the task.
    task_id, task
        The record.
    digest_of : callable
        Gives the digest of a resource by its id: a value that was changed, or is a part of one, stays.
    handle : callable
        Gives what stands for a resource by its id.
    """
    used = {role: resource_id(ident, task_id) for ident, role in task.used}
    return tuple(_put(value, name, used, digest_of, handle) for name, value in zip(names, values, strict=True))


def _put(
    value: Any, role: str, used: dict[str, int], digest_of: Callable[[int], str], handle: Callable[[int], Any]
) -> Any:
    if isinstance(value, Reference) or hasattr(type(value), "__fspath__"):
        return value
    if role in used and _digest(value) == digest_of(used[role]):
        return handle(used[role])
    if type(value) in (list, tuple):
        return type(value)(_put(item, f"{role}[{i}]", used, digest_of, handle) for i, item in enumerate(value))
    if type(value) is dict:
        return {key: _put(item, _role(role, key), used, digest_of, handle) for key, item in value.items()}
    return value


def _role(role: str, key: Any) -> str:
    return f"{role}.{key}" if type(key) is str else f"{role}[{key!r}]"


def _digest(value: Any) -> str:
    try:
        return digest(value).hex()
    except Undigestable:
        return ""
