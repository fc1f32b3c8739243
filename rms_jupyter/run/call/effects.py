"""What does a call do beside giving a value: to its arguments, to globals, and to the generators of random numbers?

After a call its mutable arguments and globals are digested again. What has changed is an output, which a hit makes of
the caller's own object, in place; where that is impossible the call is not answered from the store. A result that is
one of the arguments, holds one, or is a view of one, is that again on a hit.
"""

from __future__ import annotations

import gc
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from rms_jupyter import model
from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.originals import making_anew
from rms_jupyter.fingerprint.preview import type_name
from rms_jupyter.fingerprint.values import SCALARS, Undigestable, digest, reads_once
from rms_jupyter.model import Reference
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.task.aliases import Alias, NotToBeTold, aliases_in, aliases_put_into, with_aliases
from rms_jupyter.run.task.array_memory import gives_mapped, is_any_array, is_array, layout_of, share_memory
from rms_jupyter.run.task.changes import can_change
from rms_jupyter.run.task.moved import Whereabouts
from rms_jupyter.run.task.open_figures import FIGURES
from rms_jupyter.run.task.outputs import Made
from rms_jupyter.run.task.reach import Reach, holds_objects
from rms_jupyter.run.task.remembering import filled_in, learn, pattern_of
from rms_jupyter.run.task.twins import Twins, origins_of
from rms_jupyter.working_folder import in_short

ASSIGNED = "assigned:"  # Before the label of a global that a call has assigned.
_IMMUTABLE = SCALARS | {complex, range, slice, type}


class Effects(Struct):
    """What a call did.

    Attributes
    ----------
    changed : list of (str, object)
        Arguments and, as ``global:label``, globals, and what they are now.
    aliases : list of Alias
    origins : dict of str to list of (int, int)
        Of what has changed: see `run.task.twins`.
    obstacle : str
        Why that cannot be repeated from the store, if it cannot.
    """

    changed: list[tuple[str, Any]]
    aliases: list[Alias]
    origins: dict[str, list[tuple[int, int]]]
    obstacle: str = ""


def number_inputs(call: Call) -> None:
    """Number what the function could change: what arguments and globals hold; those with handles come as copies."""
    held = dict(_mutable(call)) if call.digests else {}
    if held and not _is_one_array(held):
        call.reach = Reach(held)
        if len(held) > 1:
            call.owned = {label: Reach({label: value}).ids for label, value in held.items()}
        call.count("sharing", call.reach.pattern)
        call.reach.filled = filled_in(call.reach.objects)
        call.count("remembered", pattern_of(call.reach.objects, call.reach.filled))
    if held:
        call.layout = _layout(call, held)
        call.count("layout", call.layout)


def _layout(call: Call, held: Mapping[str, Any]) -> str:
    arrays = filter(is_any_array, call.reach.objects if call.reach else held.values())
    return ",".join(f"{n}{how}" for n, array in enumerate(arrays) if (how := layout_of(array)))


def note_places(call: Call) -> None:
    """Note where what the arguments hold stands, before the call runs."""
    held = dict(_mutable(call)) if call.digests else {}
    if call.reach is not None and len(call.reach.objects) > len(held):
        call.standing = Whereabouts(held)


def _is_one_array(held: Mapping[str, Any]) -> bool:
    """Whether there is nothing to be told apart."""
    return len(held) == 1 and is_array(next(iter(held.values())))


def effects_of(call: Call, value: Any) -> Effects:
    """Find out what a call that has just run has done."""
    found = Effects([], [], {})
    held = dict(_mutable(call)) if call.digests else {}
    if not held:
        return found
    reach = call.reach or Reach(held)
    for label, held_value in held.items():
        if _digest(held_value) != call.digests[label]:
            found.changed.append((label, held_value))
            if not can_change(held_value) or holds_objects(held_value):
                name = label.removeprefix("global:")
                found.obstacle = f"it changes {name} ({type_name(held_value)}) in place, which cannot be done again"
    if call.layout is not None and call.layout != _layout(call, held):
        found.obstacle = found.obstacle or "it changes whether an array may be written to"
    if not found.changed:
        learn(reach.objects, reach.filled)
    if found.changed and call.standing is not None and (label := call.standing.moved()):
        found.obstacle = found.obstacle or f"it changes something in {label.removeprefix('global:')} and moves it"
    try:
        for label, held_value in found.changed:
            found.aliases += aliases_put_into(held_value, label, reach, call.owned.get(label, reach.ids))
            found.origins[label] = origins_of(held_value, reach)
        if len(held) > 1 and found.changed:
            _refuse_newly_shared(held, reach)
        if type(value) not in _IMMUTABLE:
            found.aliases += aliases_in(value, reach, Reach(held) if found.changed else reach)
    except NotToBeTold as problem:
        found.obstacle = found.obstacle or str(problem)
    return found


def shares(assigned: Any, call: Call, value: Any) -> bool:
    """Whether something that a call has assigned is, or holds, a part of its arguments or of its result."""
    held = Reach({"arguments": list(dict(_mutable(call)).values()), "value": value})
    return any(held.number(item) is not None and can_change(item) for item in Reach({"": assigned}).objects)


def _refuse_newly_shared(held: Mapping[str, Any], before: Reach) -> None:
    """Refuse what has put a new object into several arguments: they are kept one by one."""
    met: set[int] = set()
    for label, value in held.items():
        reach = Reach({label: value})
        new = [item for item in reach.objects if before.number(item) is None and can_change(item)]
        if any(id(item) in met for item in new):
            raise NotToBeTold("it puts one object into several arguments")
        met.update(map(id, new))


def _mutable(call: Call) -> Iterator[tuple[str, Any]]:
    named = zip(call.names, call.values, strict=True)
    for name, value in (*named, *((f"global:{label}", value) for label, value in call.globals.items())):
        kind = type(value)
        is_copy = issubclass(kind, Reference) or name in call.inputs.wrapped
        if name in call.digests and kind not in _IMMUTABLE and not is_copy:
            yield name, value


def digests_of(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[bytes | None]:
    """Describe the arguments that a function could change."""
    return [_digest(value) for value in (*args, *kwargs.values()) if type(value) not in _IMMUTABLE]


def _digest(value: Any) -> bytes | None:
    try:
        return digest(value)
    except Undigestable:
        return None


def unseen(definition: Definition, made: Made) -> str:
    """Say that nothing can be seen of what a call did, if so: it gives no value, and does something all the same."""
    [value] = made.out if len(made.out) == 1 else [None]
    is_seen = made.printed or made.is_seen or set(made.written_aside).difference(made.logs)
    nothing = value is not None and definition.body.says_nothing(value) and not is_seen
    if not nothing or not definition.is_procedure:
        return ""
    return f"it adds to {in_short(made.logs[0])}" if made.logs else "it returns nothing, and what it does is not seen"


def shown_to_be_used_up(value: Any, made: Made) -> str:
    """Say that a value must be made again for each reader, by what shows something each time, if so."""
    is_used_up = type(value) is types.CoroutineType or reads_once(type(value))
    shows = made.printed or made.shown
    return (
        f"it gives a {type_name(value)}, and making another shows again what it shows" if is_used_up and shows else ""
    )


def done_by_cache(caches: Sequence[Any], value: Any, made: Made, changes: bool) -> str:
    """Say what functions that remember their results (`functools.lru_cache`) do once only, if that is seen."""
    if not caches:
        return ""
    if made.printed or made.shown or changes:
        return "it shows or changes something, which a function with a cache that it asks may do the first time only"
    kept = {id(part) for cache in caches for part in _remembered_by(cache)}
    if any(id(part) in kept and can_change(part) for part in Reach({"": value}).objects):
        return "its result is held by the cache of a function that it asks"
    return ""


def _remembered_by(cache: Any) -> Iterator[Any]:
    for held in gc.get_referents(cache):
        yield held
        if type(held) is dict:
            yield from held.values()


def lost_when_kept(value: Any) -> str:
    """Say what of a value is lost once it is kept, if anything is: where an exception was raised, shared memory."""
    if issubclass(type(value), BaseException) and object.__getattribute__(value, "__traceback__"):
        return f"it gives a {type_name(value)} with its traceback, which cannot be kept"
    if gives_mapped(value):
        return "it gives an array that is mapped from a file"
    return "it gives arrays that look into one memory" if share_memory(value) else ""


# On a hit -------------------------------------------------------------------------------------------------------------


def changes_variables(task: model.TaskRecord) -> bool:
    """Whether a recorded call has changed arguments or globals, beside figures and generators of random numbers."""
    return any(label != FIGURES and not label.startswith("random:") for label, _ in task.changes)


class NotRepeatable(Exception):
    """What a call did cannot be done again to these objects."""


def repeat(
    call: Call,
    task: model.TaskRecord,
    restore: Callable[[model.ResourceRecord], Any],
    restore_generator: Callable[[str, Any], None],
) -> tuple[bool, Any]:
    """Do to the caller's objects what a recorded call did.

    Parameters
    ----------
    call : Call
    task : model.Task
        The record that answers it.
    restore : callable
        Reads the content of a resource.
    restore_generator : callable
        Puts a generator of random numbers, by its name, into a state.

    Returns
    -------
    (bool, object)
        Whether the result is (or holds) an argument, and then the result.

    Raises
    ------
    NotRepeatable
        If that is impossible; nothing was changed then.
    """
    caller = dict(_mutable(call))
    reach = call.reach or Reach(caller)
    try:
        states, new, names = [], [], []
        aliases = msgspec.convert(task.aliases, list[Alias])
        for label, slot in task.changes:
            if label == FIGURES:
                continue
            if label.startswith(ASSIGNED):
                namespace, name, _ = call.assigned[label.removeprefix(ASSIGNED)]
                names.append((namespace, name, restore(task.out[slot - 1])))
                continue
            content = restore(task.out[slot - 1])
            if label.startswith("random:"):
                states.append((label.removeprefix("random:"), content))
                continue
            new.append(Twins(content, task.origins[label], reach, call.owned.get(label, reach.ids)))
            with_aliases(content, [alias for alias in aliases if alias.into == label], reach, reach)
        aliases = [alias for alias in aliases if not alias.into]
        with making_anew():
            value = restore(task.out[0]) if any(alias.place for alias in aliases) else None
    except Exception as error:
        raise NotRepeatable from error
    if (aliases and not caller) or not all(twins.fit() for twins in new):
        raise NotRepeatable
    for twins in new:
        twins.change()
    for name, state in states:
        restore_generator(name, state)
    for namespace, name, value_then in names:
        namespace[name] = value_then
    if not aliases:
        return False, None
    return True, with_aliases(value, aliases, reach, Reach(caller) if new else reach)
