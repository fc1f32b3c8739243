"""How is a recorded call put together again, and run again for a value that was not kept?

With its recorded inputs and the same code, or not at all: a refusal says what is missing. Nothing is recorded here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from rms_jupyter import model
from rms_jupyter.errors import NotRecomputable, RmsError, words_of
from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.fingerprint.identify import identify
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.fingerprint.questions import in_words
from rms_jupyter.interrupts import held
from rms_jupyter.kept.arguments import unpack
from rms_jupyter.model import Reference
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.effects import number_inputs
from rms_jupyter.run.task.capture import capturing
from rms_jupyter.run.task.coroutines import call_to_end
from rms_jupyter.store.store import Store
from rms_jupyter.store.upkeep.trust import concealed

FindDefinition = Callable[[model.PipeRecord], "Definition | None"]


class RecordedCall(NamedTuple):
    """A recorded call, ready to run again; resources stand in its values where they stood."""

    definition: Definition
    call: Call

    def arguments(self, values: tuple[Any, ...] | None = None) -> tuple[Sequence[Any], dict[str, Any]]:
        """What the function gets; with other values in place of the recorded ones if they are given."""
        values = unwrap(self.call.values if values is None else values, lambda reference: reference._rms_input())
        return self.definition.binder.call_arguments(values)


class Past:
    """Puts recorded calls together again.

    Parameters
    ----------
    store, files
    find_definition : callable
        Gives the pipe of this session that runs a recorded code version.
    version_of : callable
        Describes the code of a pipe as it would run now.
    resource : callable
        Gives the handle on a resource by its id.
    """

    def __init__(
        self,
        store: Store,
        files: FileDigests,
        find_definition: FindDefinition,
        version_of: Callable[[Definition], CodeVersion],
        resource: Callable[[int], Reference],
    ) -> None:
        self._store, self._files = store, files
        self._find_definition, self._version_of, self._resource = find_definition, version_of, resource

    def value(self, task_id: int, task: model.TaskRecord) -> Any:
        """Run a recorded task again for its value.

        Raises
        ------
        NotRecomputable
            With the reason.
        """
        try:
            recorded = self.call(task_id, task)
            self._check_files(recorded, task)
        except NotRecomputable as refusal:
            call = self._store.call_text(task)
            raise NotRecomputable(f"the value of {call} is not kept, and {refusal.message}", refusal.hint) from None
        args, kwargs = recorded.arguments()
        with held(), capturing():
            return call_to_end(recorded.definition.function, args, kwargs)

    def _check_files(self, recorded: RecordedCall, task: model.TaskRecord) -> None:
        for ref, _ in recorded.call.inputs.used:
            if ref.path and self._files.flaw(ref.path, ref.digest, None):
                raise NotRecomputable(
                    f"its input {ref.path} is missing or has changed",
                    hint="bring the file back, or call the pipe again",
                )
        for out in task.out:
            if out.path and self._files.flaw(out.path, out.digest, out.state) == "altered":
                raise NotRecomputable(
                    f"making it again would write over {out.path}, which has changed", hint="move that file away"
                )

    def call(self, task_id: int, task: model.TaskRecord) -> RecordedCall:
        """Put a recorded call together again.

        Raises
        ------
        NotRecomputable
            Saying what is not as it was.
        """
        if not self._store.is_trusted and task_id >> 32 != self._store.writer:
            raise NotRecomputable(
                "others may have chosen with what it is to be called", hint="if you trust them: %rms trust"
            )
        pipe = self._store.pipe_of(task)
        definition = self._find_definition(pipe) if pipe else None
        if pipe is None or definition is None:
            raise NotRecomputable(
                f"no pipe {self._store.pipe_name(task.pipe)} with the same code is defined here",
                hint="run the cell that defines it, then ask again",
            )
        if not definition.contract.deterministic:
            raise NotRecomputable(f"{pipe.name} is not deterministic", hint="call it again for a new result")
        for path, digest in task.files:
            if digest and not self._files.counts_as(path, digest, definition.file_rule):
                raise NotRecomputable(
                    f"its input {in_words(path)} is missing or has changed",
                    hint="bring the file back, or call the pipe again",
                )
        call = Call(
            definition.name,
            definition.binder.names,
            recorded_arguments(definition, task_id, task, self._resource, self._store.is_trusted),
        )
        call.project = self._store.project
        call.secret, call.conceal = definition.contract.secret, concealed
        version, roles, ignore = self._version_of(definition), definition.roles, definition.contract.ignore
        try:
            identify(
                call,
                version,
                roles,
                ignore,
                lambda _: None,
                lambda path: self._files.identity(path, definition.file_rule),
            )
        except RmsError as error:
            raise NotRecomputable(f"an input is missing: {error.message}", hint="bring it back") from None
        number_inputs(call)
        if task.cached and task.key not in (call.key, call.former_key):
            raise NotRecomputable(
                "a global or a file that it reads is not what it was", hint="set it back, or call the pipe again"
            )
        return RecordedCall(definition, call)


def recorded_arguments(
    definition: Definition, task_id: int, task: model.TaskRecord, resource: Callable[[int], Any], is_trusted: bool
) -> tuple[Any, ...]:
    """Give the arguments of a recorded task, as a pipe binds them.

    Parameters
    ----------
    definition : Definition
        What runs now.
    task_id, task
        The record.
    resource : callable
        Gives what stands for a resource by its id.
    is_trusted : bool
        Whether what is on record may be read where that could run anything.

    Raises
    ------
    NotRecomputable
        If an argument was not kept, or the pipe has other arguments now.
    """
    shown = msgspec.json.decode(task.args)

    def of_resource(ident: int) -> Any:
        return resource(model.resource_id(ident, task_id))

    values = []
    for name in definition.binder.names:
        packed = task.exact.get(name)
        if packed is None and name not in shown:
            raise NotRecomputable(f"{definition.name} had no argument {name} then", hint="call the pipe again")
        if packed is None:
            values.append(shown[name])
        elif "lost" in packed:
            raise NotRecomputable(f"its argument {name} is not kept", hint="call the pipe again")
        else:
            try:
                values.append(unpack(packed, of_resource, is_trusted))
            except RmsError:
                raise
            except Exception as error:
                raise NotRecomputable(
                    f"its argument {name} cannot be read back: {words_of(error)}", hint="call the pipe again"
                ) from error
    return tuple(values)
