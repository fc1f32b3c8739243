"""How are scripts and notebooks tracked, run, and put into the queue?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from rms_jupyter.errors import PlanFailed, RmsError, UntrustedContent
from rms_jupyter.figures.styles import FigureSettings, styles_wanted
from rms_jupyter.run.workers.machine import cores
from rms_jupyter.service.worker import QueueWorker
from rms_jupyter.session.core import Core
from rms_jupyter.session.planning import Planning
from rms_jupyter.tracked.entry import Entry, call_of
from rms_jupyter.tracked.finding import find_scripts, fits
from rms_jupyter.tracked.handle import TrackedFiles
from rms_jupyter.tracked.kept import KeptEntries
from rms_jupyter.tracked.queue import Queue
from rms_jupyter.tracked.settings import USUAL_CONFIG, TrackedSettings, read_settings
from rms_jupyter.tracked.states import ScriptState, state_of
from rms_jupyter.tracked.work import FromQueue, Listed, OnEnd, Source, Work
from rms_jupyter.views.tracked import Overview, clock_of
from rms_jupyter.views.wording import duration
from rms_jupyter.working_folder import in_short, working_folder

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


class Curating:
    """Tracked scripts and notebooks."""

    def __init__(self, core: Core, planning: Planning) -> None:
        self._core, self._planning = core, planning
        self._store, self._files, self._calls = core.store, core.file_digests, core.calls

    @cached_property
    def _kept_entries(self) -> KeptEntries:
        return KeptEntries(self._store)

    @cached_property
    def _queue(self) -> Queue:
        return Queue(self._store.layout.queue, self._store.claims, self._store.project)

    @cached_property
    def _wanted(self) -> set[Entry]:
        """What is to be run beside this process."""
        return set()

    @cached_property
    def _worker(self) -> QueueWorker:
        worker = QueueWorker(self._core.path, Path(self._store.project.folder))
        self._core.services["rms work"] = worker
        return worker

    def _tracked_settings(self) -> TrackedSettings:
        return read_settings(self._store.project.folder, self._store.layout.root)

    def track(
        self,
        paths: Paths = (),
        config: str = "",
        recursive: bool = False,
        exclude: Sequence[str] = (),
    ) -> TrackedFiles:
        """Track scripts and notebooks: see whether they are up to date, and run those that are not.

        Each is a pipe, called like its file (``scripts.gen1.py``). It is up to date as long as its code, that of the
        user's modules which it imports, the files that it reads and its run configuration are what they were.

        Parameters
        ----------
        paths : path-like or list of them
            Files, patterns (``"scripts/*.py"``), folders; without any, all that is tracked.
        config : str
            The run configuration, ``std`` if none is named; others are made in the settings, see `tracked.settings`.
        recursive : bool
            Whether folders in folders are looked into.
        exclude : list of str
            Patterns of names that are left out.

        Raises
        ------
        RmsError
            If a path names nothing, or there is no such configuration.

        Examples
        --------
        >>> import pathlib, rms_jupyter as rms, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "hello.py").write_text("print('hello')")
        >>> s = rms.open(folder / "demo.rms")
        >>> scripts = s.track(folder / "*.py")
        >>> scripts.states().counts, scripts.run(n_jobs=1).counts, scripts.states()[0]["state"]
        ({'never run': 1}, {'up to date': 1}, 'up to date')
        >>> s.close()
        """
        self._core.refuse_closed()
        named = _as_list(paths)
        settings = self._tracked_settings()
        if config:
            settings.config(config)
        if not named:
            return TrackedFiles(self._core.as_host, [e for e in self._entries(settings) if config in ("", e.config)])
        self._core.refuse_read_only()
        patterns = (*settings.exclude, *exclude)
        found = find_scripts(named, working_folder() or self._store.project.folder, recursive, patterns)
        self._kept_entries.add(found, config or USUAL_CONFIG)
        return TrackedFiles(self._core.as_host, [Entry(path, config or USUAL_CONFIG) for path in found])

    def tracked(self, words: str = "") -> Overview:
        """Say how tracked scripts stand whose names, configurations, groups or states have all words."""
        wanted = words.lower().split()
        said = [(row, " ".join(map(str, row.values())).lower()) for row in self.track().states()]
        return Overview(row for row, text in said if all(word in text for word in wanted))

    def work(self, n_jobs: int | None = None, for_ever: bool = False, on_end: OnEnd = lambda entry, what: None) -> int:
        """Run what is in the queue until it is empty, in any number of processes: each entry is run once.

        Parameters
        ----------
        n_jobs : int, optional
            How many run at once; one a core by default.
        for_ever : bool
            Whether to wait for more where there are none.
        on_end : callable
            Gets each entry that has ended, and what became of it.

        Returns
        -------
        int
            How many have ended here.
        """
        ended: list[Entry] = []

        def note(entry: Entry, what: Any) -> None:
            ended.append(entry)
            on_end(entry, what)

        self._work(FromQueue(self._queue, for_ever), n_jobs, note, is_tracked=set(self._entries()).__contains__)
        return len(ended)

    def choose_tracked(self, paths: Paths = (), config: str = "") -> TrackedFiles:
        """Choose among what is tracked, by paths (all if there are none) and the name of a run configuration.

        Raises
        ------
        RmsError
            If a path names nothing that is tracked.
        """
        self._core.refuse_closed()
        entries = [entry for entry in self._entries() if config in ("", entry.config)]
        if named := _as_list(paths):
            found = set(find_scripts(named, working_folder() or self._store.project.folder, recursive=True))
            entries = [entry for entry in entries if entry.path in found]
        if not entries:
            raise RmsError(f"nothing of that is tracked{f' with {config}' if config else ''}", hint="%rms track PATH")
        return TrackedFiles(self._core.as_host, entries)

    def say_ended(self, entry: Entry, what: Any) -> None:
        """Say at once what became of an entry."""
        answer, error = getattr(what, "answer", None), getattr(what, "error", what)
        ended = "up to date" if answer is not None and answer.hit else "done" if answer is not None else "failed"
        seconds = f" in {duration(answer.task.seconds)}" if answer is not None and not answer.hit else ""
        why = "" if answer is not None else f": {getattr(error, 'message', '') or error}"
        self._core.notify(f"{ended}{seconds}: {entry.shown}{why}")

    # For handles ---------------------------------------------------------------------------------------------------

    def overview_of(self, entries: Sequence[Entry]) -> Overview:
        """Say how scripts stand."""
        self._core.refuse_closed()
        self._core.refresh()
        settings = self._tracked_settings()
        queued = {one.entry: "running" if one.is_running else "queued" for one in self._queue.entries()}
        return Overview(self._row(entry, settings, queued.get(entry, "")) for entry in entries)

    def run_entries(self, entries: Sequence[Entry], n_jobs: int | None = None) -> Overview:
        """Run what is not up to date; returns how they stand then."""
        self._work(Listed(self._outdated(entries)), n_jobs, lambda entry, what: None)
        overview = self.overview_of(entries)
        overview.is_sound = not overview.counts.get("failed")
        return overview

    def queue_entries(self, entries: Sequence[Entry]) -> list[Entry]:
        """Put what is not up to date into the queue; returns what was not in it."""
        self._core.refuse_read_only()
        return [entry for entry in self._outdated(entries) if self._queue.add(entry)]

    def cancel_entries(self, entries: Sequence[Entry]) -> list[Entry]:
        """Take what waits out of the queue; returns that."""
        self._core.refuse_read_only()
        return [entry for entry in entries if self._queue.cancel(entry)]

    def run_aside(self, entries: Sequence[Entry]) -> int:
        """Have what is not up to date run by a process beside this one; returns how many wait for it.

        It ends when the queue is empty, or with this session.
        """
        self._refuse_untrusted()
        self.queue_entries(entries)
        self._wanted.update(one.entry for one in self._queue.entries() if one.entry in set(entries))
        self.keep_working()
        return len(self._wanted)

    def keep_working(self) -> None:
        """Begin that process again, if it has ended before what is wanted of it was taken."""
        if self._wanted and not self._worker.is_running:
            self._wanted &= {one.entry for one in self._queue.entries() if not one.is_running}
            if self._wanted:
                self._worker.begin()

    def run_configs(self) -> list[str]:
        """List the names of the ways in which scripts can be run."""
        return list(self._tracked_settings().configs)

    def queued_entries(self) -> list[dict[str, Any]]:
        """List the queue: what waits and what runs."""
        return [
            {
                "state": "running" if one.is_running else "queued",
                "script": in_short(one.entry.path),
                "config": one.entry.config,
                "since": clock_of(one.added),
            }
            for one in self._queue.entries()
        ]

    def untrack_entries(self, entries: Sequence[Entry]) -> None:
        """Track scripts no more; what they have made stays."""
        self._core.refuse_read_only()
        self._kept_entries.remove(entries)

    # Inside --------------------------------------------------------------------------------------------------------

    def _entries(self, settings: TrackedSettings | None = None) -> list[Entry]:
        """What is tracked, with what the settings name, which is on record from now on."""
        settings = settings or self._tracked_settings()
        if settings.paths and not self._core.read_only:
            folder = self._store.project.folder
            found = [path for pattern in settings.paths for path in _found(pattern, folder, settings.exclude)]
            self._kept_entries.add(found, USUAL_CONFIG)
        return self._kept_entries.entries()

    def _outdated(self, entries: Sequence[Entry]) -> list[Entry]:
        self._core.refresh()
        settings = self._tracked_settings()
        return [entry for entry in entries if self._state(entry, settings).kind != "up to date"]

    def _state(self, entry: Entry, settings: TrackedSettings) -> ScriptState:
        try:
            definition, values = self._script_call(entry, settings)
        except RmsError as error:
            return ScriptState("failed", error.message)
        version = self._calls.version(definition)
        return state_of(self._store, self._files, self._calls.identify(definition, version, values), version)

    def _row(self, entry: Entry, settings: TrackedSettings, queued: str) -> dict[str, Any]:
        state = self._state(entry, settings)
        project = self._store.project.folder
        groups = [
            name for name, patterns in settings.groups.items() if any(fits(entry.path, project, p) for p in patterns)
        ]
        return {
            "state": queued or state.kind,
            "script": in_short(entry.path),
            "config": entry.config,
            "group": " ".join(groups),
            "detail": state.detail.replace(os.path.join(working_folder(), ""), ""),
            "last run": clock_of(state.task.started) if state.task else "",
            "seconds": state.task.seconds if state.task else None,
            "task": state.ident or None,
        }

    def _refuse_untrusted(self) -> None:
        self._core.refuse_closed()
        self._core.refuse_read_only()
        if not self._store.is_trusted:
            raise UntrustedContent("what this store tracks was chosen elsewhere", hint="%rms trust, if you trust it")

    def _script_call(self, entry: Entry, settings: TrackedSettings) -> Any:
        return call_of(entry.path, settings.config(entry.config), self._store.project, self._store.layout.root)

    def _work(
        self,
        source: Source,
        n_jobs: int | None,
        on_end: OnEnd,
        is_tracked: Callable[[Entry], bool] = lambda entry: True,
    ) -> None:
        self._refuse_untrusted()
        settings = self._tracked_settings()

        def call(entry: Entry) -> Any:
            if not is_tracked(entry):
                raise RmsError(f"{entry.path} [{entry.config}] is not tracked", hint="%rms track PATH")
            return self._script_call(entry, settings)

        n_jobs = cores() if n_jobs is None else n_jobs
        work, plan = Work(source, n_jobs, call, on_end), self._planning.plan()
        plan.draft, plan.figures = work.draft, FigureSettings(settings.figures, styles_wanted(self._core.path.parent))
        try:
            with self._core.watching(plan):
                plan.run(n_jobs=n_jobs, executor="threads")
        except PlanFailed:
            return  # Each failure is on record, and what is shown says so.
        finally:
            work.finish()


def _as_list(paths: Paths) -> list[str | os.PathLike[str]]:
    return [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)


def _found(pattern: str, folder: str, exclude: Sequence[str]) -> list[str]:
    try:
        return find_scripts([pattern], folder, recursive=True, exclude=exclude)
    except RmsError:
        return []  # Nothing is there yet.
