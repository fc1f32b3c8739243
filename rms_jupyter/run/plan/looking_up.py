"""Which call is a planned one, and does the store answer it?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.model import Reference, TaskRecord
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.direct import Calls
from rms_jupyter.run.call.effects import changes_variables
from rms_jupyter.run.call.lookup import find_hit
from rms_jupyter.run.plan.planned import Missed, Planned
from rms_jupyter.staleness import Reason
from rms_jupyter.store.recent_index import key_mark

Found = tuple[int, TaskRecord]


class LookUps:
    """Looks the calls of a plan up.

    Parameters
    ----------
    calls : Calls
        Identifies calls.
    resolve : callable
        Gives the resource that a placeholder stands for, once its task is done.
    """

    def __init__(self, calls: Calls, resolve: Callable[[Reference], Any]) -> None:
        self._calls, self._store, self._resolve = calls, calls.store, resolve
        self._versions: dict[int, CodeVersion] = {}
        self._first: dict[str, int] = {}
        self._others: dict[str, dict[int, int]] = {}

    def look_up(self, number: int, planned: Planned) -> tuple[Call, Found | Missed]:
        """Identify a call whose inputs are all there, and find the task that answers it.

        Raises
        ------
        Exception
            Whatever keeps the call from being identified.
        """
        definition = planned.definition
        if not SCALARS.issuperset(map(type, planned.values)):
            planned.resolve(self._resolve)
        version = self._version(definition)
        call = self._calls.identify(definition, version, planned.values)
        if planned.origin is not None:
            call = self._calls.asked_for(call, planned.origin)
        call.nth = self._nth(number, call.key)
        mark = key_mark(call.key)
        known = self._store.known.get(mark)
        is_unknown = known is None and not call.obstacle and not self._store.known.facts.accepted
        found = None if is_unknown else find_hit(self._store, self._calls.files, call, self._calls.draws)
        if isinstance(found, Reason) and found.kind == "output_missing" and definition.contract.temporary:
            _, task = self._store.record(found.earlier)
            assert isinstance(task, TaskRecord)
            found = found.earlier, task
        if isinstance(found, tuple) and changes_variables(found[1]):
            done = self._calls.do_again(call, *found)
            found = done if isinstance(done, Reason) else found
        if isinstance(found, tuple):
            self._calls.note_asked(found[0])
            return call, found
        if call.obstacle:
            self._calls.notices.obstacle(definition, call)
        return call, Missed(number, definition, call, version, found, mark, known)

    def answered_since(self, batch: Sequence[Missed]) -> Iterator[tuple[Missed, Found]]:
        """Find what has come to answer calls since they were looked up."""
        get = self._store.known.get
        for missed in [missed for missed in batch if get(missed.mark) != missed.known]:
            found = find_hit(self._store, self._calls.files, missed.call, self._calls.draws)
            if isinstance(found, tuple) and not changes_variables(found[1]):  # What it found is changed already.
                yield missed, found

    def _nth(self, number: int, key: str) -> int:
        """Which of the calls alike in this run one is: where it draws random numbers, they are different draws."""
        if self._first.setdefault(key, number) == number:
            return 0
        others = self._others.setdefault(key, {})
        return others.setdefault(number, 1 + len(others))

    def _version(self, definition: Definition) -> CodeVersion:
        """Describe a pipe's code, once in a run."""
        version = self._versions.get(id(definition))
        if version is None:
            version = self._versions[id(definition)] = self._calls.version(definition)
        return version
