"""Which resources stand within the arguments of a recorded task, where plain values were kept?"""

from __future__ import annotations

import copy
import dataclasses
import os
import re
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.classes_of_data import is_dataclass
from rms_jupyter.fingerprint.nesting import BEHIND
from rms_jupyter.fingerprint.values import Undigestable, digest
from rms_jupyter.model import Reference, TaskRecord, resource_id

_KINDS_OF_DICT = (defaultdict, OrderedDict)


class NestedPlaces:
    """The arguments of a recorded task, with what stands for resources also within lists, dicts, dataclasses and sets.

    Parameters
    ----------
    task_id, task
        The record.
    digest_of : callable
        Gives the digest of a resource by its id: a value that was changed, or is a part of one, stays.
    handle : callable
        Gives what stands for a resource by its id.
    paths : mapping of str to str
        What each path that is named in an argument becomes.
    """

    def __init__(
        self,
        task_id: int,
        task: TaskRecord,
        digest_of: Callable[[int], str],
        handle: Callable[[int], Any],
        paths: Mapping[str, str],
    ) -> None:
        self._used = {role: resource_id(ident, task_id) for ident, role in task.used}
        self._changed = {resource_id(given, task_id) for given, _ in task.derived}
        self._origins = {resource_id(origin, task_id) for _, origin in task.derived}
        self._digest_of, self._handle, self._paths = digest_of, handle, paths
        self._done: set[str] = set()

    def filled(self, names: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
        """Put what stands for resources in place of their values."""
        return tuple(self._put(value, name) for name, value in zip(names, values, strict=True))

    def refuse_those_left(self, replaced: Collection[int], call: str) -> None:
        """Refuse the call if resources that are replaced stand where nothing could be put in their place.

        Raises
        ------
        RmsError
        """
        if not self._origins.isdisjoint(replaced):
            what = " and ".join(role for role, ident in self._used.items() if ident in self._changed)
            why = f"{call} got {what} as it was changed in the notebook after it was made"
            raise RmsError(f"{why}: it cannot be replaced", hint="change the other in the same way, and make the call")
        left = [role for role, ident in self._used.items() if ident in replaced and role not in self._done]
        for role in left:
            kind, _, name = role.rpartition(":")
            if f"{kind}:" not in BEHIND:
                why = "there it is part of something, or within an object, that cannot be made again"
                raise RmsError(
                    f"{call} got what is to be replaced as {role}: {why}", hint="make that call with the other one"
                )
            if kind != "code" or self._paths.get(path := os.path.abspath(name), "") != path:
                what = "in its code" if kind == "code" else f"as the {kind} {name}"
                hint = "change it there, and make the call"
                raise RmsError(f"{call} reads what is to be replaced {what}, not from its arguments", hint=hint)

    def _put(self, value: Any, role: str) -> Any:
        if isinstance(value, Reference):
            return self._of_reference(value, role)
        if isinstance(value, (str, os.PathLike)) and (other := self._paths.get(os.path.abspath(value))) is not None:
            self._done.add(role)
            return type(value)(other)  # type: ignore[call-arg]
        if hasattr(type(value), "__fspath__"):
            return value
        if role in self._used and _digest(value) == self._digest_of(self._used[role]):
            self._done.add(role)
            return self._handle(self._used[role])
        return self._within(value, role)

    def _of_reference(self, value: Reference, role: str) -> Any:
        """What an argument is that was kept as a resource: of its own, perhaps, with others in it."""
        if role in self._used and self._handle(self._used[role])._rms_ref().id == value._rms_ref().id:
            self._done.add(role)
        if not any(_is_within(other, role) for other in self._used):
            return value
        whole = value._rms_value()
        new = self._within(whole, role)
        return value if new is whole else new

    def _within(self, value: Any, role: str) -> Any:
        kind = type(value)
        if not any(_is_within(other, role) for other in self._used) and not self._paths:
            return value
        if kind in (list, tuple) or (issubclass(kind, tuple) and hasattr(kind, "_make")):
            items = [self._put(item, f"{role}[{i}]") for i, item in enumerate(value)]
            return _made_of(value, items, kind if kind in (list, tuple) else kind._make)
        if kind in (set, frozenset):
            return _made_of(value, [self._put_in_set(item, role) for item in value], kind)
        if kind is dict:
            items = [self._put(item, _role(role, key)) for key, item in value.items()]
            return _made_of(value.values(), items, lambda new: dict(zip(value, new, strict=True)), value)
        if kind in _KINDS_OF_DICT:
            items = [self._put(item, _role(role, key)) for key, item in value.items()]
            return _made_of(value.values(), items, lambda new: _updated(value, zip(value, new, strict=True)), value)
        if is_dataclass(kind):
            return self._put_in_fields(value, role)
        return value

    def _put_in_set(self, item: Any, role: str) -> Any:
        """Put in what stands for an item of a set, which may have stood at any place of it."""
        for place in {found[1] for other in self._used if (found := re.match(rf"{re.escape(role)}\[(\d+)\]", other))}:
            before = len(self._done)
            new = self._put(item, f"{role}[{place}]")
            if len(self._done) > before:
                return new
        return self._put(item, f"{role}[]")

    def _put_in_fields(self, value: Any, role: str) -> Any:
        before = set(self._done)
        fields = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value) if field.init}
        new = {name: self._put(item, f"{role}.{name}") for name, item in fields.items()}
        changes = {name: item for name, item in new.items() if item is not fields[name]}
        try:
            return dataclasses.replace(value, **changes) if changes else value
        except Exception:  # Its class makes something else of its fields.
            self._done = before
            return value


def _made_of(old: Any, items: list[Any], make: Callable[[list[Any]], Any], whole: Any = None) -> Any:
    """Make a container of items, unless they are those that it has."""
    whole = old if whole is None else whole
    return whole if all(new is item for new, item in zip(items, old, strict=True)) else make(items)


def _updated(old: Any, items: Iterable[tuple[Any, Any]]) -> Any:
    """Copy a dict of another kind, with what it is beside its items; they get other values."""
    new = copy.copy(old)
    new.update(items)
    return new


def _is_within(role: str, outer: str) -> bool:
    return role.startswith((f"{outer}.", f"{outer}["))


def _role(role: str, key: Any) -> str:
    return f"{role}.{key}" if type(key) is str else f"{role}[{key!r}]"


def _digest(value: Any) -> str:
    try:
        return digest(value).hex()
    except Undigestable:
        return ""
