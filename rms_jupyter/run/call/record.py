"""How does a call, once it has run, become a record?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from rms_jupyter import model
from rms_jupyter.fingerprint.calls import SECRET, Call
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.fingerprint.preview import preview, type_name
from rms_jupyter.fingerprint.trees import LISTING
from rms_jupyter.fingerprint.values import digest
from rms_jupyter.kept.arguments import in_json, is_parameter, pack
from rms_jupyter.model import EMPTY, Ref, Reference, ResourceRecord, TaskRecord
from rms_jupyter.run.call.lookup import DamagedResult, traced_key
from rms_jupyter.run.call.mentions import mentioned
from rms_jupyter.run.task.outputs import Made
from rms_jupyter.staleness import Reason
from rms_jupyter.store.content import Unpicklable
from rms_jupyter.store.running import note_of
from rms_jupyter.store.store import Store, status_record

KEPT_ARGUMENT = 100_000_000
_EXACT = (list, tuple, dict, set, frozenset, bytearray)


class RecordedInputs:
    """The inputs of a call as a record holds them: edges, and what the record must bring along.

    Parameters
    ----------
    store : Store
    call : Call
    known_givens : mapping of str to int
        Ids of given values recorded before, by digest.
    """

    def __init__(self, store: Store, call: Call, known_givens: Mapping[str, int]) -> None:
        self._store, self._call, self._known = store, call, known_givens
        self.given: list[ResourceRecord] = []
        self.used: list[tuple[int, str]] = [(ref.id, role) for ref, role in call.inputs.used]
        self.exact: dict[str, Any] = {}
        self._edges = {role: ref for ref, role in call.inputs.used}
        self._changed = changed_by_argument(call)
        self.derived: list[tuple[int, int]] = []

    def add_arguments(self) -> None:
        """Keep every argument and global that JSON does not hold exactly."""
        for name, value in zip(self._call.names, self._call.values, strict=True):
            self._add_open(name, name, value)
        for label, value in self._call.globals.items():
            self._add_open(label, f"global:{label}", value)

    def add_file(self, role: str, resource: ResourceRecord) -> int:
        """Draw an edge to a file, as it was recorded before or anew; gives the id of the record it replaces, or 0."""
        known = self._store.find_path(resource.path)
        current = known is not None and not self._store.status(known[0])
        if known is not None and current and known[1].digest == resource.digest:
            self.used.append((known[0], role))
            return 0
        self.used.append((self._bring(resource), role))
        return known[0] if known is not None and current else 0

    def _add_open(self, label: str, name: str, value: Any) -> None:
        if label in self._call.secret:
            self.exact[name] = {"lost": SECRET}
        else:
            self._add(name, value)

    def _add(self, name: str, value: Any) -> None:
        if name in self._edges and not issubclass(type(value), Reference):
            ref = self._edges[name]
            part = {"item": ref.item, "digest": ref.digest} if ref.item is not None else {}
            self.exact[name] = {"resource": ref.id} | part
        elif in_json(value):
            return
        elif name in self._changed and name in self._call.digests:
            self._add_changed(name, value)
        elif is_parameter(value) or name in self._call.inputs.wrapped:
            self._pack(name, value)
        elif name in self._call.digests or type(value) in (str, bytes):
            ident = self._given((self._call.digests.get(name) or digest(value)).hex(), value)
            self.used.append((ident, name))
            self.exact[name] = {"resource": ident}
        else:
            self.exact[name] = {"lost": preview(value)}

    def _add_changed(self, name: str, value: Any) -> None:
        """Bring what the notebook made of resources: a value of its own, with an edge from each."""
        ident = self._bring(given_resource(self._store, value, self._call.digests[name].hex()))
        self.used.append((ident, name))
        self.exact[name] = {"resource": ident}
        self.derived += [(ident, ref.id) for ref in self._changed[name]]

    def _pack(self, name: str, value: Any) -> None:
        try:
            self.exact[name] = pack(value, lambda reference: reference._rms_ref().id)
        except Exception:
            self.exact[name] = {"lost": preview(value)}

    def _given(self, digest_hex: str, value: Any) -> int:
        known = self._known.get(digest_hex)
        usable = known is not None and self._store.status(known) != "deleted"
        return known if known is not None and usable else self._bring(given_resource(self._store, value, digest_hex))

    def _bring(self, resource: ResourceRecord) -> int:
        """Take a resource into this record: a negative number until it is known how many outputs go before it."""
        self.given.append(resource)
        return -len(self.given)

    def numbered(self, outputs: int) -> dict[str, Any]:
        """Give `used`, `exact` and `derived` with the resources of this record numbered behind its outputs."""

        def number(ident: int) -> int:
            return outputs - ident if ident < 0 else ident

        if not self.used:
            return {"exact": self.exact}
        return {
            "used": tuple((number(ident), role) for ident, role in self.used),
            "exact": {
                n: e | {"resource": number(e["resource"])} if "resource" in e else e for n, e in self.exact.items()
            },
            "derived": tuple((number(ident), origin) for ident, origin in self.derived),
        }


def changed_by_argument(call: Call) -> dict[str, list[Ref]]:
    """Group the resources that the notebook has changed since by the arguments that they are in."""
    found: dict[str, list[Ref]] = {}
    for ref, role in call.inputs.changed:
        names = [name for name in call.digests if role == name or role.startswith((f"{name}.", f"{name}["))]
        for name in names[:1]:
            found.setdefault(name, []).append(ref)
    return found


def given_resource(store: Store, value: Any, digest_hex: str) -> ResourceRecord:
    """Describe a value that came from the notebook, and keep it unless it is too large or cannot be kept."""
    try:
        kept = store.keep(value, digest_hex, KEPT_ARGUMENT, verify=type(value) not in _EXACT)
    except Unpicklable:
        kept = ResourceRecord(digest=digest_hex, type=type_name(value))
    return msgspec.structs.replace(kept, kind="given", preview=preview(value))


class RecordWriting:
    """The record of one task, from its start to its end.

    Parameters
    ----------
    store : Store
    files : FileDigests
    call : Call
    reason : Reason
        Why the task runs.
    givens : dict of str to int
        Ids of given values recorded before, by digest; those of this record are added.
    """

    marks = ()  # The fingerprints that lead to it are to be worked out.

    def __init__(self, store: Store, files: FileDigests, call: Call, reason: Reason, givens: dict[str, int]) -> None:
        self._store, self._files, self._call, self._reason, self._givens = store, files, call, reason, givens
        self._inputs = RecordedInputs(store, call, {} if isinstance(reason, DamagedResult) else givens)
        self._fields: dict[str, Any] = {}

    def begin(self, pipe: int, run: int) -> None:
        """Take down what is known before the function runs; arguments are kept now, as they are now."""
        call = self._call
        if not call.is_plain:
            self._inputs.add_arguments()
        self._fields = {
            "key": call.key,
            "pipe": pipe,
            "run": run,
            "site": call.site,
            "args": call.args_json(),
            "globals": call.globals_json() if call.globals else EMPTY,
            "reason": str(self._reason),
            "earlier": self._reason.earlier,
        }

    def note(self) -> bytes:
        """Note the call in one line, should the process die now."""
        return note_of(self._call.key, self._fields["pipe"], self._fields["run"], self._fields["args"])

    def finish(self, made: Made) -> tuple[list[model.Record], TaskRecord]:
        """Put the record together.

        Returns
        -------
        (list of Record, Task)
            What is to be written, the task last; and the task.
        """
        replaced = self._replaced(made.out)
        trace = self._add_files(made, replaced) if made.read else {}
        trace |= {f"{folder}{LISTING}": self._files.identity(f"{folder}{LISTING}") for folder in made.listed}
        trace |= made.asked
        cached = not self._call.obstacle
        traced = trace | dict(made.draws)
        task = TaskRecord(
            **self._fields,
            k=self._store.next_k(),
            cached=cached,
            traced=traced_key(self._call.key, traced, self._store.project) if traced and cached else "",
            **self._inputs.numbered(len(made.out)),
            files=(*trace.items(), *((path, "") for path in made.written_aside)),
            out=made.out,
            declared=made.declared,
            given=tuple(self._inputs.given),
            seconds=made.seconds,
            started=made.started,
            status=made.status,
            error=made.failure,
            printed=made.printed,
            shown=made.shown,
            cpu=made.cpu,
            memory=made.memory,
            changes=made.changes,
            aliases=made.aliases,
            origins=made.origins,
            draws=made.draws,
            uncached=made.uncached,
            unheard=made.unheard,
            mentions=self._mentions(made) if trace or self._call.former_inputs_key or made.declared else "",
        )
        before = [status_record(replaced, "overwritten", self._store.next_k())] if replaced else []
        return [*before, task], task

    def written(self, ident: int, task: TaskRecord) -> None:
        """Remember the ids of the given values that the record brought along."""
        for slot, given in enumerate(task.given, len(task.out) + 1):
            if given.kind == "given":
                self._givens[given.digest] = ident + slot

    def _mentions(self, made: Made) -> str:
        """Return the project's folder if something that was made mentions it: it is then of no use in another."""
        folder = self._store.project.folder
        return folder if mentioned(folder, (*made.out, *self._inputs.given), made, self._store.objects) else ""

    def _add_files(self, made: Made, replaced: list[int]) -> dict[str, str]:
        roles = {os.path.abspath(path): role for path, role in self._call.inputs.paths}
        explicit = {os.path.abspath(path): role for path, role in self._call.read_files}
        trace = {}
        for resource in made.read:
            path = resource.path
            if older := self._inputs.add_file(explicit.get(path) or roles.get(path, ""), resource):
                replaced.append(older)
            if path not in explicit:
                trace[path] = self._files.identity(path, rule) if (rule := self._call.file_rule) else resource.digest
        return trace

    def _replaced(self, out: tuple[ResourceRecord, ...]) -> list[int]:
        known = [self._store.find_path(resource.path) for resource in out if resource.path]
        return [found[0] for found in known if found is not None and not self._store.status(found[0])]
