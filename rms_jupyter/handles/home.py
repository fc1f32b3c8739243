"""How do records become the handles that a user holds?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rms_jupyter import model
from rms_jupyter.errors import NotRecomputable, RmsError, words_of
from rms_jupyter.fingerprint.originals import making_anew
from rms_jupyter.handles.resource import FileResource, Resource, ResourceState, resource_of
from rms_jupyter.handles.task import PipeVersion, Task
from rms_jupyter.handles.tracking import Tracker, own
from rms_jupyter.model import Ref, Reference
from rms_jupyter.naming import Called
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.task.outputs import describe_value, is_recorded_as
from rms_jupyter.store.seals import DamagedObject
from rms_jupyter.store.store import Store
from rms_jupyter.views.show import Shown, shown


class Home:
    """Makes handles, and gives them what they ask for.

    Parameters
    ----------
    store : Store
    recompute : callable
        Makes the value of a task again, by its id and record.
    tell : callable
        Lets the user know something.
    """

    def __init__(
        self, store: Store, recompute: Callable[[int, model.TaskRecord], Any], tell: Callable[[str], None]
    ) -> None:
        self._store, self._recompute, self._tell = store, recompute, tell
        self.tracker = Tracker()
        self.on_display: Callable[[Resource], None] = lambda resource: None

    def result_of(self, answer: Answer) -> Any:
        """Make the handle of what a call gives: the value's resource, or its declared file, or a tuple of several."""
        if _gives_files(answer.task):
            declared = [self._resource(answer, slot) for slot in range(max(1, answer.task.declared))]
            return declared[0] if len(declared) == 1 else tuple(declared)
        return self._resource(answer, 0)

    def value_of(self, answer: Answer) -> Any:
        """Give what a call gives: the very object on its first run, an equal one on a hit; files are handles."""
        task = answer.task
        if _gives_files(task):
            return self.result_of(answer)
        out = task.out[0]
        if answer.has_value:
            value = own(answer.value)
        elif out.format == "json":  # There are no functions in it.
            value = own(self.load(out, task, answer.id))
        else:
            with making_anew():
                value = own(self.load(out, task, answer.id))
        self.tracker.track(value, Ref(answer.id + 1, out.digest, task.site), answer.hit, str(answer.reason or ""))
        return value

    def behind(self, value: Any) -> Any:
        """Find the handle on the resource behind a value, as it was handed out; None if there is none."""
        if isinstance(value, Reference):
            return getattr(value, "replacement", value)
        origin = self.tracker.origin(value)
        if origin is None:
            return None
        found = self.resource(origin.ref.id)
        found._rms.hit, found._rms.reason = origin.hit, origin.reason
        if not found._rms.record.format and origin.ref.item is None:
            found._rms.handed_out = value  # Nothing else holds it.
        return found

    def unrecorded(self, value: Any) -> Any:
        """Make a handle on a value that is not on record."""
        state = ResourceState(self, 0, describe_value(value))
        state.born(value)
        return resource_of(state)

    def resource(self, ident: int) -> Any:
        """Make a handle on a recorded resource.

        Raises
        ------
        LookupError
            If there is none.
        """
        place, record = self._store.record(ident)
        if isinstance(record, model.TaskRecord):
            inner = self._store.resource(ident)
            own = ident - place <= len(record.out)
            return resource_of(
                ResourceState(self, ident, inner, place if own else 0, record if own else None, hit=True)
            )
        return resource_of(ResourceState(self, ident, self._store.resource(ident)))

    def task(self, ident: int) -> Task:
        """Make a handle on a recorded task."""
        place, record = self._store.record(ident)
        if not isinstance(record, model.TaskRecord):
            raise LookupError(f"{ident} is no task")
        return self.task_handle(place, record, False, record.reason)

    def load(self, record: model.ResourceRecord, task: model.TaskRecord | None, task_id: int) -> Any:
        """Read the content of a resource back, or make it again from its task."""
        try:
            return self._store.restore(record)
        except DamagedObject:
            return self._mended(record, task, task_id)
        except LookupError as missing:
            if task is None:
                raise RmsError(f"this value was {missing}", hint="call the pipe again with the value itself") from None
        except RmsError:
            raise
        except Exception as error:
            call = self._store.call_text(task) if task else "a value"
            raise NotRecomputable(
                f"the result of {call} cannot be read back: {type(error).__name__}: {words_of(error)}",
                hint="is it damaged? %rms check --full; to compute it again each time: @rms.pipe(volatile=True)",
            ) from error
        return self._computed_again(record, task, task_id)

    def _computed_again(self, record: model.ResourceRecord, task: model.TaskRecord, task_id: int) -> Any:
        """Compute a value again that is not kept; what was evicted is kept again."""
        if not record.format:
            return self._recompute(task_id, task)
        call = self._store.call_text(task)
        if task.out[0] != record:
            raise NotRecomputable(f"what {call} has changed is no longer kept", hint="call the pipe again")
        value = self._recompute(task_id, task)
        if not is_recorded_as(value, record):
            raise NotRecomputable(
                f"the value of {call} is no longer kept, and computed again it is another",
                hint="call it again for a new result; if that is to be expected: @rms.pipe(deterministic=False)",
            )
        if not self._store.read_only:
            self._store.keep(value, record.digest)
        return value

    def _mended(self, record: model.ResourceRecord, task: model.TaskRecord | None, task_id: int) -> Any:
        """Make a value again whose stored copy is damaged, and put it in the place of that."""
        if task is None:
            raise RmsError("the stored copy of this value is damaged", hint="call the pipe again with the value itself")
        damaged = f"the stored result of {self._store.call_text(task)} is damaged"
        try:
            value = self._computed_again(record, task, task_id)
        except NotRecomputable as refusal:
            raise NotRecomputable(f"{damaged}; {refusal.message}", refusal.hint) from None
        self._tell(f"{damaged}: it was computed again")
        return value

    def maker(self, ident: int) -> Called | None:
        """Return the call that made a value on record, if a call did."""
        return self._store.origins.maker(ident)

    def track(self, value: Any, ref: Ref) -> None:
        """Remember that an object is the content of a resource."""
        self.tracker.track(value, ref)

    def status(self, ident: int) -> str:
        """The status of a record, '' while it is as written: given by a user, found by a check, ``obsolete``."""
        given = self._store.status(ident) or self._store.seen(ident)
        return given or ("obsolete" if self._store.is_obsolete(ident) else "")

    def show(self, ident: int) -> Shown:
        """Put together all that is known of a task or resource."""
        return shown(self._store, self.status, ident)

    def task_handle(self, task_id: int, task: model.TaskRecord, hit: bool, reason: str) -> Task:
        """Make a handle on a task at hand."""
        version = PipeVersion(self._store.pipe_of(task))
        called = self._store.origins.of_task(task)
        return Task(task_id, task, version, called, lambda: self.status(task_id) or task.status, hit, reason)

    def files_of(self, task_id: int, task: model.TaskRecord) -> list[FileResource]:
        """Make handles on the files that a task wrote."""
        slots = [slot for slot, out in enumerate(task.out, 1) if out.kind == "file"]
        return [resource_of(ResourceState(self, task_id + s, task.out[s - 1], task_id, task, hit=True)) for s in slots]

    def displayed(self, resource: Resource) -> None:
        """Note that a resource was shown in the notebook."""
        self.on_display(resource)

    def _resource(self, answer: Answer, slot: int) -> Any:
        record = answer.task.out[slot]
        reason = str(answer.reason or "")
        state = ResourceState(self, answer.id + 1 + slot, record, answer.id, answer.task, answer.hit, reason)
        if answer.has_value and record.kind != "file":
            state.born(answer.value)
        return resource_of(state)


def _gives_files(task: model.TaskRecord) -> bool:
    """Whether a call gives the files that it wrote: it returned nothing else."""
    return bool(task.out) and task.out[0].kind == "file"
