"""Stores with large graphs, written straight to their journals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from xxhash import xxh3_128

from rms_jupyter.model import Failure, FileState, PipeRecord, ResourceRecord, Run, TaskRecord
from rms_jupyter.store.store import Store

CODE = {
    "align": 'def align(reads, ref, k=15):\n    """Align reads."""\n    return run(["bwa", "mem", "-k", k, reads, ref])\n',
    "qc": "def qc(bam):\n    return summary(bam)\n",
    "merge": "def merge(tables):\n    return pd.concat(tables)\n",
    "plot": "def plot(table, cutoff=40):\n    return table[table.quality > cutoff].plot()\n",
}
STARTED = 1_760_000_000_000_000


def name_of(text: str) -> str:
    """A digest for the store's records."""
    return xxh3_128(text.encode()).hexdigest()


def file(path: str, size: int = 1_200_000) -> ResourceRecord:
    """A file's record."""
    state = FileState(digest=name_of(path), size=size, mtime_ns=1, inode=1)
    return ResourceRecord(digest=name_of(path), kind="file", type="file", path=path, size=size, state=state)


class Graph:
    """A store to which tasks are written as if they had run."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.run = self.store.append(Run(notebook="align.ipynb", count=12, code="...", started=STARTED))
        self._pipes: dict[tuple[str, str], int] = {}

    def pipe(self, name: str, code: str = "") -> int:
        """The record of a code version."""
        code = code or CODE.get(name, f"def {name}(*args):\n    ...\n")
        if (name, code) not in self._pipes:
            record = PipeRecord(name=name, version=name_of(code), sources={name: code}, k=self.store.next_k())
            self._pipes[name, code] = self.store.append(record)
        return self._pipes[name, code]

    def task(
        self, name: str, args: dict[str, Any], used: tuple[tuple[int, str], ...], out: ResourceRecord, **more: Any
    ) -> TaskRecord:
        """A task's record."""
        key = name_of(f"{name}{msgspec.json.encode(args)!r}")
        return TaskRecord(
            key=key, pipe=self.pipe(name, more.pop("code", "")), k=self.store.next_k(), run=self.run, site=int(key[:15], 16),
            args=msgspec.Raw(msgspec.json.encode(args)), used=used, out=(out,) if more.get("status", "done") == "done" else (),
            declared=int(out.kind == "file"), seconds=more.pop("seconds", 0.5), started=STARTED, **more,
        )  # fmt: skip

    def given(self, *paths: str) -> list[int]:
        """Files on record."""
        return self.store.append_all([msgspec.structs.replace(file(path), k=self.store.next_k()) for path in paths])


def samples(path: Path, count: int) -> int:
    """Write `count` samples, each read, aligned and looked at (5 nodes each), one merge and one plot.

    Three alignments failed. Gives the id of the figure.
    """
    graph = Graph(path)
    store = graph.store
    [reference] = graph.given("/data/lambda.fa")
    reads = graph.given(*(f"/data/reads_{n}.fq.gz" for n in range(count)))
    used = [((ident, "reads"), (reference, "ref")) for ident in reads]
    args = [{"reads": f"/data/reads_{n}.fq.gz", "ref": "/data/lambda.fa", "k": 15} for n in range(count)]
    aligned = store.append_all(
        [
            graph.task("align", args[n], used[n], file(f"/data/s_{n}.bam", 48_000_000), seconds=372.0)
            for n in range(count)
        ]
    )
    error = Failure(
        type="EmptyDataError",
        message="No columns to parse from file",
        traceback="Traceback ...\nEmptyDataError: No columns to parse from file",
    )
    for n in range(3):
        failed = {**args[n], "k": 31}
        store.append(graph.task("align", failed, used[n], file("-"), status="failed", error=error))
    table = {"type": "pandas.DataFrame", "format": "arrow", "size": 5000, "preview": "1,000 rows × 4 columns"}
    looked = store.append_all(
        [
            graph.task(
                "qc", {"bam": f"/data/s_{n}.bam"}, ((aligned[n] + 1, "bam"),), ResourceRecord(digest=name_of(f"qc{n}"), **table)
            )
            for n in range(count)
        ]
    )  # fmt: skip
    merged = store.append(
        graph.task(
            "merge",
            {"tables": f"<list of {count:,}>"},
            tuple((ident + 1, f"tables[{n}]") for n, ident in enumerate(looked)),
            ResourceRecord(digest=name_of("merged"), **table),
            seconds=9.0,
        )
    )
    plotted = store.append(
        graph.task(
            "plot", {"table": "<table>", "cutoff": 40}, ((merged + 1, "table"),), file("/data/figure.png", 80_000)
        )
    )
    store.close()
    return plotted + 1
