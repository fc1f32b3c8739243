"""Answers about many calls: a table of 100,000 results, and the cause at the far end of a chain of 10,000 calls."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Raw

import rms_jupyter as rms
from rms_jupyter.model import PipeRecord, ResourceRecord, TaskRecord
from rms_jupyter.store.store import Store
from tests.bench.million import median, name_of
from tests.bench.report import report

CALLS = 100_000
WIDE, LONG = 500, 20


def fill(path: Path) -> None:
    """Write calls of one pipe, each with nine arguments and a global, that gave a number."""
    store = Store(path)
    pipe = store.append(PipeRecord(name="fit", version=name_of("fit"), k=store.next_k()))
    for block in range(0, CALLS, 1000):
        store.append_all([_task(store, pipe, n) for n in range(block, block + 1000)])
    store.close()


def _task(store: Store, pipe: int, n: int) -> TaskRecord:
    key = name_of(f"fit{n}")
    args = {
        "seed": n, "rate": n % 10 / 100, "depth": n % 7, "kind": "abc"[n % 3], "warm": n % 2 == 0,
        "alpha": n * 0.5, "beta": 2.5, "top": None, "fold": n % 5,
    }  # fmt: skip
    value = ResourceRecord(digest=name_of(key), type="float", format="json", value=n / 7, size=8)
    return TaskRecord(
        key=key, pipe=pipe, k=store.next_k(), site=int(key[:15], 16), args=Raw(json.dumps(args).encode()),
        globals=Raw(b'{"TMAX":5.0}'), out=(value,), seconds=0.01, started=1_700_000_000_000_000 + n,
    )  # fmt: skip


def fill_chains(path: Path) -> int:
    """Write 500 chains of 20 calls and what merges them, twice: a global of the first calls differs; gives the last."""
    store = Store(path)
    pipes = [
        store.append(PipeRecord(name=f"p{i}", version=name_of(f"p{i}"), k=store.next_k())) for i in range(LONG + 1)
    ]
    last = 0
    for tmax in (8, 5):
        ends: list[int] = []
        for step in range(LONG):
            read = b'{"TMAX":%d}' % tmax if step == 0 else b"{}"
            records = []
            for n in range(WIDE):
                used = ((ends[n] + 1, "x"),) if ends else ()
                records.append(_link(store, pipes[step], f"{tmax} {step} {n}", used, globals=Raw(read)))
            ends = store.append_all(records)
        parts = tuple((end + 1, f"parts[{n}]") for n, end in enumerate(ends))
        merged = _link(store, pipes[LONG], f"merged {tmax}", parts, earlier=last, reason="input_changed" * bool(last))
        last = store.append(merged)
    store.close()
    return last


def fill_deep(path: Path) -> int:
    """Write a chain of 10,000 calls, twice: an argument of the first call differs; return the last."""
    store = Store(path)
    pipes = [store.append(PipeRecord(name=name, version=name_of(name), k=store.next_k())) for name in ("load", "step")]
    last = 0
    for run, skip in enumerate((0, 2), 1):
        used: tuple[tuple[int, str], ...] = ()
        for n in range(WIDE * LONG):
            args = Raw(b'{"skip":%d}' % skip) if n == 0 else Raw(b'{"x":"<200 rows>"}')
            last = store.append(_link(store, pipes[n > 0], f"{skip} {n}", used, args=args, run=run))
            used = ((last + 1, "x"),)
    store.close()
    return last


def _link(store: Store, pipe: int, name: str, used: tuple[tuple[int, str], ...], **more: Any) -> TaskRecord:
    key = name_of(name)
    value = ResourceRecord(digest=name_of(key), type="pandas.DataFrame", format="arrow", size=10, preview="200 rows")
    more.setdefault("args", Raw(b'{"x":"<200 rows>"}'))
    return TaskRecord(key=key, pipe=pipe, k=store.next_k(), used=used, out=(value,), seconds=0.1, **more)


def main() -> None:
    """Measure."""
    path = Path(os.environ["BENCH"]) / "answers.rms"
    fill(path)
    session = rms.open(path)
    session.sql("SELECT 1")

    def seconds(ask: Callable[[], Any]) -> str:
        return f"{median(ask):.2f} s"

    last = fill_chains(chained := path.with_name("chains.rms"))
    chains = rms.open(chained)
    assert chains.why(last).causes == ["TMAX 8 → 5, read by p0 (500 calls)"]
    end = fill_deep(long := path.with_name("long.rms"))
    chain = rms.open(long)
    assert chain.why(end).causes == ["skip 0 → 2, given to load (1 call)"]
    report(
        [
            {"what": "`s.results` over 100,000 tasks with 10 parameters", "here": seconds(session.results), "bound": "≤ 1 s"},
            {"what": "... shown, sorted by a parameter", "here": seconds(lambda: repr(session.results(sort="rate"))), "bound": "≤ 1 s"},
            {"what": "... as a frame", "here": seconds(lambda: session.results().df())},
            {"what": "`s.why`: the cause at the far end of 500 chains of 20 calls", "here": seconds(lambda: chains.why(last)), "bound": "≤ 0.5 s"},
            {"what": "... of one chain of 10,000 calls, in which an argument differs", "here": seconds(lambda: chain.why(end)), "bound": "≤ 0.5 s"},
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()
