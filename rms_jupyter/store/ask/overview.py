"""What is in the store, in numbers?"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

from rms_jupyter import model
from rms_jupyter.store.ask.database import columns_of_views, sql_text
from rms_jupyter.store.store import Store
from rms_jupyter.store.upkeep.recover import at_work


def store_status(store: Store) -> dict[str, Any]:
    """Count tasks, failures, pipes, files, seconds computed, and bytes on disk."""
    names = ("tasks", "failed", "pipes", "files", "seconds")
    [row] = store.fetch(sql_text("queries/status.sql"))
    return {**dict(zip(names, row, strict=True)), "bytes": _bytes_below(store.layout.root)}


def pipe_versions(store: Store, words: list[str]) -> list[dict[str, Any]]:
    """List code versions, the latest first: ``pipe, version, module, tasks, seconds``."""
    names = ("pipe", "version", "module", "tasks", "seconds")
    rows = store.fetch(sql_text("queries/pipe_versions.sql"), [words])
    return [dict(zip(names, row, strict=True)) for row in rows]


def runs(store: Store, words: list[str], limit: int) -> list[dict[str, Any]]:
    """List runs, the latest first: ``id, run, kind, notebook, cell, at, tasks, failed, seconds, code``.

    `run` is what other commands call it: ``run 3``, or its rule.
    """
    names = ("id", "run", "kind", "notebook", "cell", "at", "tasks", "failed", "seconds", "code")
    rows = [dict(zip(names, row, strict=True)) for row in store.fetch(sql_text("queries/runs.sql"), [words, limit])]
    for row in rows:
        row["at"] = f"{row['at'].replace(tzinfo=UTC).astimezone():%Y-%m-%d %H:%M:%S}"
    return rows


def tables(store: Store) -> dict[str, list[str]]:
    """List what SQL may ask, with its columns; macros by their names with a parenthesis."""
    views = store.use(columns_of_views)
    macros = store.fetch(sql_text("queries/macros.sql"))
    return {**views, **{f"{name}(": columns for name, columns in macros}}


def names_on_record(store: Store) -> dict[str, list[str]]:
    """List the names of ``pipes`` and ``params`` on record."""
    params = [name for (name,) in store.fetch(sql_text("queries/param_names.sql"))]
    return {"pipes": sorted({name for _, name in store.known.facts.pipes.values()}), "params": params}


def runs_of_cells(store: Store, notebook: str, cells: list[str]) -> list[tuple[Any, ...]]:
    """List what cells ran: ``cell, code, count, seconds of the start, ids of tasks, worst status, error``."""
    return store.fetch(sql_text("queries/cells.sql"), [notebook, cells])


def marked_tasks(store: Store, marks: Sequence[tuple[str, int]]) -> dict[int, int]:
    """Find the ids of tasks by their keys and the times at which they started; they are numbered as they were given."""
    keys, starts = [key for key, _ in marks], [started for _, started in marks]
    return dict(store.fetch(sql_text("queries/marked_tasks.sql"), {"keys": keys, "starts": starts}))


def figure_ids(store: Store, words: list[str], limit: int) -> list[int]:
    """List the ids of figures, the latest first."""
    return [ident for (ident,) in store.fetch(sql_text("queries/figures.sql"), [words, limit])]


def latest_failures(store: Store) -> list[int]:
    """List the ids of the tasks of the latest run that did not finish."""
    return [ident for (ident,) in store.fetch(sql_text("queries/failures.sql"))]


def running_elsewhere(store: Store) -> list[dict[str, Any]]:
    """List what other processes are doing: ``notebook, cell, process, running`` and how many tasks ``ended``."""
    store.refresh()
    others: dict[tuple[int, int], Counter[int]] = {}
    for writer, notes in at_work(store.layout).items():
        for note in notes:
            if writer != store.writer:
                others.setdefault((writer, note.run), Counter())[note.pipe] += 1
    runs = [run for _, run in others]
    ended = dict(store.fetch(sql_text("queries/ended_of_runs.sql"), [runs])) if runs else {}
    return [_other(store, *place, pipes, ended.get(place[1], 0)) for place, pipes in others.items()]


def _other(store: Store, writer: int, run: int, pipes: Counter[int], ended: int) -> dict[str, Any]:
    _, process = store.record(writer << 32)
    assert isinstance(process, model.Writer)
    place = store.record(run)[1] if run else None
    return {
        "notebook": os.path.basename(process.notebook),
        "cell": f"[{place.count}]" if isinstance(place, model.Run) and place.count else "",
        "process": f"{process.pid} on {process.host}",
        "running": ", ".join(f"{count:,} {store.pipe_name(pipe)}" for pipe, count in pipes.items()),
        "ended": ended,
    }


def _bytes_below(root: Path) -> int:
    return sum(
        entry.stat().st_size
        for folder, _, names in os.walk(root)
        for name in names
        if (entry := Path(folder, name)).exists()
    )
