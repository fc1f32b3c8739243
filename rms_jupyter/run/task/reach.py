"""Which objects do the inputs of a cell hold, and which of them has it changed in place?

They are numbered in the order in which a walk meets them. Inputs that count the same are walked over in the same
order, so that a number names the same object of theirs in any kernel.
"""

from __future__ import annotations

import copy
import types
from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from itertools import chain
from typing import Any

from rms_jupyter.fingerprint.nesting import contents, items_of
from rms_jupyter.fingerprint.remembered import library_of
from rms_jupyter.fingerprint.values import SCALARS, Undigestable, digest
from rms_jupyter.run.task.array_memory import is_any_array, is_array, is_view, owner_of, root_of
from rms_jupyter.run.task.changes import can_change, is_plain_object, state_of
from rms_jupyter.run.task.frame_memory import is_frame, owners_of
from rms_jupyter.run.task.remembering import Filled

_CODE = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType, type)
_MOST = 200_000


class Reach:
    """What some values hold.

    Parameters
    ----------
    values : mapping of str to object
        The inputs, in order.

    Attributes
    ----------
    anchors : dict of int to object
        For each memory that arrays look into, by the id of the array that it is, the array to find it by.
    objects : list of object
        What can be told apart from its like: all but scalars and code.
    pattern : str
        Which of those that can be changed were met more than once; '' if none was.
    filled : dict
        What they remember, once that was looked for; see `remembering`.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.objects: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._before: list[Any] = []
        met_again: list[str] = []
        for place, number in enumerate(_walk(values.values(), self._numbers, self.objects)):
            if number is not None and can_change(self.objects[number]):
                met_again.append(f"{place}={number}")
        self.filled: Filled = {}
        self.anchors = self._find_anchors()
        met_again += [f"{number}<{self.number(anchor)}" for number, anchor in self._views()]
        self.pattern = ",".join(met_again)

    def number(self, value: Any) -> int | None:
        """Return the number of an object; None if it is not one of these."""
        found = self._numbers.get(id(value))
        return found if found is not None and self.objects[found] is value else None

    @property
    def ids(self) -> Collection[int]:
        """The ids of these objects."""
        return self._numbers.keys()

    def _find_anchors(self) -> dict[int, Any]:
        """Find for each memory, by the id of the array that it is, the first of these arrays that looks into it."""
        anchors: dict[int, Any] = {}
        for value in filter(is_array, self.objects):
            root = root_of(value)
            if value is root or id(root) not in anchors:
                anchors[id(root)] = value
        return anchors

    def _views(self) -> Iterator[tuple[int, Any]]:
        """Find the arrays that look into the memory of another of these, and that one."""
        for number, value in enumerate(self.objects):
            if is_view(value) and (anchor := self.anchors[id(root_of(value))]) is not value:
                yield number, anchor

    @cached_property
    def memory(self) -> tuple[Collection[int], Collection[int]]:
        """What has the memory of the plain arrays among these objects, and of those of other classes: `owner_of`."""
        arrays = [value for value in self.objects if is_any_array(value)]
        plain = {owner_of(value) for value in arrays if is_array(value)}
        return plain, {owner_of(value) for value in arrays if not is_array(value)}

    def looks_into(self, array: Any) -> bool:
        """Whether an array looks into the memory of one of these, and one of the two is of another class than plain."""
        plain, others = self.memory
        owner = owner_of(array)
        return owner in others or (owner in plain and not is_array(array))

    def frame_of(self, array: Any) -> Any:
        """Return the frame of pandas among these objects whose memory an array looks into, if there is one."""
        owner = owner_of(array) if self._frames else 0
        return next((frame for frame, owners in self._frames if owner in owners), None)

    def has_memory_of(self, frame: Any) -> bool:
        """Whether a frame of pandas looks into the memory of an array among these objects."""
        return any(owner in owners for owner in owners_of(frame) for owners in self.memory)

    @cached_property
    def _frames(self) -> list[tuple[Any, Collection[int]]]:
        return [(value, owners_of(value)) for value in self.objects if is_frame(value)]

    def shared_roots(self) -> set[int]:
        """The ids of the arrays that several of these objects look into."""
        arrays = [value for value in self.objects if is_array(value)]
        counts = Counter(id(root_of(value)) for value in arrays)
        return {root for root, count in counts.items() if count > 1}

    def is_of(self, values: Mapping[str, Any]) -> bool:
        """Whether these are the very values."""
        return self._values.keys() == values.keys() and all(self._values[n] is value for n, value in values.items())

    def remember(self) -> None:
        """Note what each object holds now."""
        self._before = [holds_what(value) for value in self.objects]

    def changed(self) -> Iterator[int]:
        """Find the objects that hold something else than was noted."""
        for number, (value, before) in enumerate(zip(self.objects, self._before, strict=True)):
            is_seen_elsewhere = is_view(value) and self.number(root_of(value)) is not None
            if not is_seen_elsewhere and not is_same_as_noted(before, holds_what(value)):
                yield number

    def can_be_repeated(self, number: int) -> bool:
        """Whether a change can be made to an equal object in place."""
        value, before = self.objects[number], self._before[number]
        now = holds_what(value)
        is_other_size = isinstance(now, _Whole) and now.shape != before.shape
        return can_change(value) and not is_other_size

    def twin(self, number: int) -> Any:
        """Return an object of the same kind that holds the very same parts."""
        return copy.copy(self.objects[number])


def held_by(code: Any) -> dict[str, Any]:
    """Find the data that a function or class holds: defaults, attributes, what its closure keeps."""
    if isinstance(code, type):
        return {name: value for name, value in vars(code).items() if name != "__slotnames__"}
    if not isinstance(code, types.FunctionType):
        return {}
    defaults = dict(enumerate(code.__defaults__ or ())) | (code.__kwdefaults__ or {})
    cells = {
        name: _contents(cell) for name, cell in zip(code.__code__.co_freevars, code.__closure__ or (), strict=True)
    }
    named = {f"default {name}": value for name, value in defaults.items()}
    return {**named, **{f"closure {name}": value for name, value in cells.items()}, **vars(code)}


def is_of_the_notebook(value: Any) -> bool:
    """Whether a value is a function that the notebook has made, and that is an object like any other there."""
    return type(value) is types.FunctionType and value.__module__ == "__main__"


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


class _Whole:
    """An object that is looked at as a whole."""

    def __init__(self, value: Any) -> None:
        self.shape = (getattr(value, "shape", None), getattr(value, "dtype", None)) if _is_array(value) else None
        try:
            self.digest: Any = digest(value)
        except Undigestable:
            self.digest = None


def _walk(values: Any, numbers: dict[int, int], objects: list[Any]) -> Iterator[int | None]:
    waiting = deque(values)
    while waiting:
        value = waiting.popleft()
        cls = type(value)
        if cls in SCALARS or (issubclass(cls, _CODE) and not is_of_the_notebook(value)):
            continue
        known = numbers.get(id(value))
        yield known
        if known is not None or len(objects) >= _MOST:
            continue
        numbers[id(value)] = len(objects)
        objects.append(value)
        try:
            waiting.extend(_parts(value))
        except Exception:
            continue  # What cannot be looked into is a whole.


def _parts(value: Any) -> list[Any]:
    parts: list[Any] = []
    if (container := kind_of_container(value)) is not None:
        items = contents(value) if container is dict else container.__iter__(value)
        parts += _no_scalars(list(items))
    elif is_of_the_notebook(value):
        parts += held_by(value).values()
    elif cells := cells_of(value):
        return cells
    is_of_subclass = container is not None and type(value) is not container
    if is_plain_object(value) or is_of_subclass or parts:
        parts += [part for _, part in sorted((state_of(value) or {}).items())]
    return parts


def cells_of(value: Any) -> list[Any]:
    """Find the objects in an array of objects, or in a frame's columns of objects, that are no scalars."""
    library = library_of(value)
    if library == "numpy" and hasattr(value, "dtype") and value.dtype.hasobject and not value.dtype.names:
        return list(_no_scalars(value.ravel().tolist()))
    if library == "pandas" and hasattr(value, "dtypes"):
        columns = [value] if value.ndim == 1 else [value.iloc[:, number] for number in range(value.shape[1])]
        return [cell for column in columns for cell in _cells(column)]
    return []


def _cells(column: Any) -> Collection[Any]:
    return _no_scalars(list(column.array)) if column.dtype == "object" else ()


def holds_objects(value: Any) -> bool:
    """Whether an array or a frame holds objects that can be changed in place, beside itself."""
    return any(map(can_change, cells_of(value)))


def kind_of_container(value: Any) -> Any:
    """Which kind of container a value is, whatever it says of itself; None for none."""
    cls = type(value)
    return next((kind for kind in (list, tuple, dict, deque) if issubclass(cls, kind)), None)


def _no_scalars(parts: Collection[Any]) -> Collection[Any]:
    return () if SCALARS.issuperset(map(type, parts)) else parts


def holds_what(value: Any) -> Any:
    """Note what an object holds: its parts by identity, or all of it."""
    kind = kind_of_container(value)
    if kind is tuple:
        return ()
    if is_of_the_notebook(value):
        return [*held_by(value), *held_by(value).values()]
    if kind is dict:
        return [*chain.from_iterable(items_of(value)), *_attributes(value)]
    if kind is not None:
        return [*kind.__iter__(value), *_attributes(value)]
    if is_plain_object(value):
        return _attributes(value)
    return _Whole(value)


def _attributes(value: Any) -> list[Any]:
    state = state_of(value) or {}
    return [*state, *state.values()]


def is_same_as_noted(before: Any, now: Any) -> bool:
    """Whether an object holds what was noted of it."""
    if isinstance(before, _Whole):
        return isinstance(now, _Whole) and before.digest == now.digest
    return len(before) == len(now) and all(_is_part(a, b) for a, b in zip(before, now, strict=True))


def _is_part(before: Any, now: Any) -> bool:
    if before is now:
        return True
    is_equal = type(before) in SCALARS and type(before) is type(now) and before == now
    return is_equal and (bool(before) or repr(before) == repr(now))  # 0.0 is not -0.0.


def _is_array(value: Any) -> bool:
    return library_of(value) == "numpy" and hasattr(value, "dtype")
