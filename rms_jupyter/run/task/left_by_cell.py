"""What does a cell leave behind, and how is it brought back?

All of it is one pickle, so that what was shared stays shared. What the inputs hold is written down by its number (see
`reach`), and is the caller's own object again when it is read; functions and classes of the notebook are looked up
there by their names, and are its own.
"""

from __future__ import annotations

import io
import pickle
import threading
import types
from collections import ChainMap, Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

import cloudpickle

from rms_jupyter.errors import RmsError, words_of
from rms_jupyter.fingerprint import exactly
from rms_jupyter.fingerprint.preview import type_name
from rms_jupyter.fingerprint.values import register
from rms_jupyter.run.task.array_memory import (
    address,
    buffer_of,
    can_look_into,
    frozen_view_of,
    is_any_array,
    is_array,
    is_mapped,
    owner_of,
    root_of,
    view_of,
)
from rms_jupyter.run.task.changes import become
from rms_jupyter.run.task.reach import Reach

Content = dict[str, Any]
_CODE = (types.FunctionType, type)
_RUNNING = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)


class NotToBeKept(Exception):
    """Something that a cell leaves cannot be brought back; the message says what."""


class Left(dict[str, Any]):
    """The variables that a cell leaves, by name; the rest of it as bytes.

    Attributes
    ----------
    data : bytes
        Names, changes in place, last value, figures; refers to the inputs by number.
    anchors : bytes
        What it refers to, by number, for whoever has not the inputs.
    """

    data = anchors = b""

    def __reduce__(self) -> Any:
        return read_alone, (self.data, self.anchors)


register(Left, lambda value, walk: walk(dict(value)))


def keep(content: Content, reach: Reach, namespace: Mapping[str, Any], late: Collection[str]) -> Left:
    """Put together what a cell leaves.

    Parameters
    ----------
    content : dict
        ``names``, ``changes`` (number to twin), and more.
    reach : Reach
        What the inputs hold.
    namespace : mapping
        The notebook's variables.
    late : collection of str
        Names of functions and classes that are not there yet when it is brought back.

    Raises
    ------
    NotToBeKept
    """
    left = Left(content["names"])
    buffer = io.BytesIO()
    held = Reach(content["names"])
    if any(id(buffer_of(value)) in ids for value in held.objects for ids in (held.ids, reach.ids)):
        raise NotToBeKept("something that it leaves looks into the memory of a buffer")
    _refuse_shared_memory(held, reach)
    writer = _Writer(buffer, reach, namespace, late, held.shared_roots())
    for name, value in content["names"].items():
        writer.refuse_running(name, value)
    try:
        writer.dump(content)
        left.data = buffer.getvalue()
        used = {number: reach.objects[number] for number in sorted(writer.used)}
        buffer = io.BytesIO()
        _Writer(buffer, Reach({}), namespace, late).dump(used)
        left.anchors = buffer.getvalue()
    except NotToBeKept:
        raise
    except Exception as error:
        raise NotToBeKept(
            _what_failed(content, reach, namespace, late) or f"{type(error).__name__}: {words_of(error)}"
        ) from error
    return left


def _refuse_shared_memory(held: Reach, reach: Reach) -> None:
    """Refuse arrays of files, and views between arrays of which one is of a class of its own."""
    arrays = [value for value in held.objects if is_any_array(value) and reach.number(value) is None]
    counts = Counter(map(owner_of, arrays))
    for value in arrays:
        if is_mapped(value):
            raise NotToBeKept("an array that it leaves is mapped from a file")
        if reach.looks_into(value) or (not is_array(value) and counts[owner_of(value)] > 1):
            raise NotToBeKept("something that it leaves is a view of an array")


def bring_back(left: Left, reach: Reach, namespace: Mapping[str, Any]) -> Content:
    """Read what a cell left, with the inputs of now; nothing is changed yet."""
    content: Content = _Reader(left.data, lambda number: reach.objects[number], namespace).load()
    return content


def repeat_changes(content: Content, reach: Reach) -> None:
    """Change the inputs in place as the cell has changed them.

    Raises
    ------
    RmsError
    """
    for number, twin in content["changes"].items():
        if not become(reach.objects[number], twin):
            raise RmsError(f"a {type_name(twin)} could not be changed in place", hint="run the cell with %rms off")


class unread(threading.local):
    """Lets what cells left be read from the store without looking into it, while entered in this thread."""

    depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *error: object) -> None:
        self.depth -= 1


as_kept = unread()


def read_alone(data: bytes, anchors: bytes) -> Left:
    """Read what a cell left without its inputs."""
    if as_kept.depth:
        left = Left()
        left.data, left.anchors = data, anchors
        return left
    import __main__

    def nothing(number: int) -> Any:
        raise LookupError(number)

    used = _Reader(anchors, nothing, vars(__main__)).load()
    content = _Reader(data, used.__getitem__, vars(__main__)).load()
    left = Left(content["names"])
    left.data, left.anchors = data, anchors
    return left


class _Writer(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(
        self,
        file: Any,
        reach: Reach,
        namespace: Mapping[str, Any],
        late: Collection[str],
        roots: Collection[int] = frozenset(),
    ) -> None:
        self.dispatch_table = ChainMap(exactly.reducers(), cloudpickle.Pickler.dispatch_table)
        super().__init__(file, protocol=5)
        self._reach, self._namespace, self._late = reach, namespace, late
        self._roots = roots
        self.used: set[int] = set()

    def persistent_id(self, value: Any) -> Any:
        number = self._reach.number(value)
        if number is not None:
            self.used.add(number)
            return number
        if isinstance(value, _CODE) and value.__module__ == self._namespace.get("__name__", "__main__"):
            return self._name_of(value)
        if isinstance(value, _RUNNING):
            raise NotToBeKept(f"a {type(value).__name__} cannot be kept")
        return None

    def reducer_override(self, value: Any) -> Any:
        if is_array(value):
            root = root_of(value)
            anchor = self._reach.anchors.get(id(root), root if id(root) in self._roots and root is not value else None)
            if anchor is None:
                if not value.flags.writeable:
                    return exactly.frozen, (value.copy(order="K"),)
                return value.__reduce__()  # It is to have memory of its own again.
            if not can_look_into(anchor, value):
                raise NotToBeKept("an array looks into the memory of another one in a way that cannot be repeated")
            make = view_of if value.flags.writeable else frozen_view_of
            return make, (anchor, value.dtype, value.shape, address(value) - address(anchor), value.strides)
        return super().reducer_override(value)

    def refuse_running(self, name: str, value: Any) -> None:
        """Name what cannot be kept, where it is a variable."""
        if isinstance(value, (*_RUNNING, io.IOBase)):
            raise NotToBeKept(f"{name} is a {type_name(value)}, which cannot be kept")

    def _name_of(self, value: Any) -> str:
        found: Any = self._namespace
        parts = value.__qualname__.split(".")
        for part in parts:
            found = found.get(part) if isinstance(found, Mapping) else getattr(found, part, None)
        if found is not value or parts[0] in self._late:
            kind = "class" if isinstance(value, type) else "function"
            raise NotToBeKept(f"the {kind} {value.__name__} was made by what the cell computes")
        return str(value.__qualname__)


class _Reader(pickle.Unpickler):
    def __init__(self, data: bytes, number: Callable[[int], Any], namespace: Mapping[str, Any]) -> None:
        super().__init__(io.BytesIO(data))
        self._number, self._namespace = number, namespace

    def persistent_load(self, what: Any) -> Any:
        if isinstance(what, int):
            return self._number(what)
        first, *rest = what.split(".")
        found = self._namespace[first]
        for part in rest:
            found = getattr(found, part)
        return found


def _what_failed(content: Content, reach: Reach, namespace: Mapping[str, Any], late: Collection[str]) -> str:
    """Find the variable that cannot be pickled."""
    for name, value in content["names"].items():
        try:
            _Writer(io.BytesIO(), reach, namespace, late).dump(value)
        except Exception:
            return f"{name}, a {type_name(value)}, cannot be kept"
    return ""
