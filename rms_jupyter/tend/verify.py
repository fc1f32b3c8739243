"""Do stored results come out the same when they are computed again?  Runs a sample of them; nothing is recorded."""

from __future__ import annotations

import io
import math
import os
import pickle
import random
import secrets
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from rms_jupyter.errors import NotRecomputable, RmsError, UntrustedContent
from rms_jupyter.fingerprint.difference import difference
from rms_jupyter.fingerprint.exactly import Pickler
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.fingerprint.preview import type_name
from rms_jupyter.fingerprint.values import Undigestable, digest
from rms_jupyter.model import ResourceRecord, TaskRecord
from rms_jupyter.run.call.draws import shared_generators
from rms_jupyter.run.task.execute import execute
from rms_jupyter.run.task.open_figures import FIGURES, close_figures, open_figures
from rms_jupyter.store import content
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.store import Store
from rms_jupyter.tend.recompute import Past, RecordedCall

FIXED = "write files at fixed paths"
VOLATILE = "give what has no digest to compare"


class LeftOut(Exception):
    """A task cannot be run again without harm, or to any use; the message completes "they ..."."""


class DigestFails(Exception):
    """A result's digest cannot be relied on; its first argument is the type's name."""


@dataclass
class Verified:
    """What became of the sample.

    Attributes
    ----------
    seed : int
        Gives the same sample again.
    stored, ran : int
        How many results there are to choose from, and how many were computed again.
    different : dict of str to list of (int, str, str)
        By pipe: id and call of each task whose result differed, and the difference.
    unreliable : dict of str to list of (int, str, str)
        By pipe: id and call of each task whose result has a digest that does not hold, and the type of the result.
    left_out : dict of str to int
        How many could not be run, by reason.
    """

    seed: int
    stored: int = 0
    ran: int = 0
    different: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)
    unreliable: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


def verify(store: Store, files: FileDigests, past: Past, fraction: float, seed: int | None) -> Verified:
    """Run a random sample of the stored results again, with their recorded inputs, and compare.

    Parameters
    ----------
    store, files, past
    fraction : float
        How much of all that is stored, between 0 and 1; at least one result.
    seed : int, optional
        Chooses the sample; a random one if not given.
    """
    ids = [row[0] for row in store.fetch(sql_text("queries/stored_results.sql"))]
    verified = Verified(secrets.randbits(32) if seed is None else seed, len(ids))
    again = _Again(store, files, past)
    for ident in random.Random(verified.seed).sample(ids, math.ceil(fraction * len(ids))):
        task = store.record(ident)[1]
        assert isinstance(task, TaskRecord)
        try:
            found = again.compare(ident, task)
        except LeftOut as why:
            verified.left_out[str(why)] += 1
            continue
        except UntrustedContent as refusal:
            verified.left_out[refusal.message] += 1
            continue
        except DigestFails as kind:
            cases = verified.unreliable.setdefault(store.pipe_name(task.pipe), [])
            cases.append((ident, store.call_text(task), str(kind)))
            found = ""
        verified.ran += 1
        if found:
            cases = verified.different.setdefault(store.pipe_name(task.pipe), [])
            cases.append((ident, store.call_text(task), found))
    return verified


class _Again:
    """Runs recorded tasks again, and compares what they make."""

    def __init__(self, store: Store, files: FileDigests, past: Past) -> None:
        self._store, self._files, self._past = store, files, past

    def compare(self, ident: int, task: TaskRecord) -> str:
        """Run a task; gives the first difference in words, or nothing.

        Raises
        ------
        LeftOut, DigestFails
        """
        try:
            recorded = self._past.call(ident, task)
        except NotRecomputable as refusal:
            raise LeftOut(f"cannot be run here: {refusal.message}") from None
        figures = dict(task.changes).get(FIGURES)  # Their pictures tell, not their pickles.
        if any(out.by_origin for slot, out in enumerate(task.out, 1) if slot != figures):
            raise LeftOut(VOLATILE)
        with tempfile.TemporaryDirectory(prefix="rms-verify-") as folder:
            values, moved = _moved(recorded, task, folder)
            args, kwargs = recorded.arguments(values)
            open_before = open_figures()
            with shared_generators().undisturbed():
                outcome = execute(recorded.definition.function, args, kwargs, echo=False)
            close_figures(open_figures() - open_before)
            if isinstance(outcome.error, KeyboardInterrupt):
                raise outcome.error
            if outcome.error is not None:
                return f"it fails now: {type(outcome.error).__name__}: {outcome.error}"
            found = [self._of_files(out, moved[out.path]) for out in task.out if out.path]
            if not task.out[0].path and not (moved and folder in repr(outcome.value)):
                found.append(self._of_values(task.out[0], outcome.value))
        return next(filter(None, found), "")

    def _of_values(self, out: ResourceRecord, value: Any) -> str:
        try:
            if digest(value).hex() == out.digest:
                return ""
        except Undigestable:
            raise LeftOut(VOLATILE) from None
        try:
            before = self._store.restore(out)
        except UntrustedContent:
            raise
        except (LookupError, RmsError):
            return "another value (the earlier one is not kept)"
        if not _digest_holds(value):
            raise DigestFails(type_name(value))
        found = difference(before, value)
        if not found and _as_bytes(before) == _as_bytes(value):
            raise DigestFails(type_name(value))
        return found or "another value"

    def _of_files(self, out: ResourceRecord, made: str) -> str:
        name = os.path.basename(out.path)
        if not os.path.exists(made):
            return f"{name} was not made"
        now = FileDigests().state(made)
        if now.digest == out.digest:
            return ""
        return f"{name}: " + ("other content" if out.size == now.size else f"{out.size:,} bytes → {now.size:,} bytes")


def _digest_holds(value: Any) -> bool:
    """Whether a value has its digest still once it was pickled and read back, as far as that can be done."""
    buffer = io.BytesIO()
    try:
        Pickler(buffer).dump(value)
        return digest(pickle.loads(buffer.getvalue())) == digest(value)
    except Exception:
        return True


def _as_bytes(value: Any) -> bytes:
    try:
        return content.dumps(value)
    except content.Unpicklable:
        return os.urandom(16)


def _moved(recorded: RecordedCall, task: TaskRecord, folder: str) -> tuple[tuple[Any, ...], dict[str, str]]:
    """Aim a call's output files at a temporary folder; gives its values, and where each file goes.

    That can be done where arguments say where declared files go, and nothing else is written.
    """
    written = {out.path for out in task.out if out.path}
    values = recorded.call.values
    if not written and all(content for _, content in task.files):
        return values, {}
    values = tuple(_aimed(value, number, written, folder) for number, value in enumerate(values))
    declared = [os.path.abspath(path) for path in recorded.definition.declared_outputs(values)]
    places = [out.path for out in task.out if out.path][: task.declared]
    moved = dict(zip(places, declared, strict=False))
    if set(moved) != written or not all(path.startswith(folder) for path in declared) or not written:
        raise LeftOut(FIXED)
    return values, moved


def _aimed(value: Any, number: int, written: set[str], folder: str) -> Any:
    if not isinstance(value, (str, PurePath)) or os.path.abspath(value) not in written:
        return value
    place = os.path.join(folder, str(number), os.path.basename(value))
    os.makedirs(os.path.dirname(place))
    return type(value)(place)
