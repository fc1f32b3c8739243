"""Plans beside raw joblib, doit and pipefunc over the same functions, in one run."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import joblib
from joblib.externals.loky import get_reusable_executor

import rms_jupyter as rms
from tests.bench.report import report

TINY, NAPS, LINKS, SUBMITTED, PEERS = 100_000, 200, 1_000, 5_000, 5_000


def nothing(i):
    """A task of 0 ms."""
    return i


def nap(i):
    """A task of 50 ms."""
    time.sleep(0.05)
    return i


def cpu() -> float:
    """Processor seconds of this process and of its children that have ended."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def processor_times_of_a_loop() -> list[float]:
    """Time a fixed loop of Python, a few ms long, again and again: alone on a machine, it always takes as long."""
    times = []
    for _ in range(100):
        began = time.process_time()
        for _ in range(100_000):
            pass
        times.append(time.process_time() - began)
    return times


def in_new_process(what: str) -> list[float]:
    """Run one of the measurements in a process of its own; gives the numbers that it prints."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench.running", what], stdout=subprocess.PIPE, text=True, check=True
    )
    return [float(number) for number in ran.stdout.split()]


def plan_of(pipe: Callable, count: int, name: str, n_jobs: int = 2) -> float:
    """Run a plan on a new store; gives seconds."""
    session = rms.open(Path(os.environ["BENCH"]) / f"{name}.rms")
    seconds = plan_in(session, pipe, count, n_jobs=n_jobs)
    session.close()
    return seconds


def plan_in(session: rms.Session, pipe: Callable, count: int, **how: object) -> float:
    """Make and run a plan in a session; gives seconds."""
    pipe = session.register_pipe(pipe)
    began = time.perf_counter()
    with session.plan() as plan:
        results = [pipe(i) for i in range(count)]
    plan.run(**how)
    assert results[-1].content == count - 1
    return time.perf_counter() - began


def raw(function: Callable, count: int) -> float:
    """The same by joblib alone."""
    began = time.perf_counter()
    joblib.Parallel(n_jobs=2)(joblib.delayed(function)(i) for i in range(count))
    return time.perf_counter() - began


def tiny() -> None:
    """Print wall and processor seconds, workers' included, of a plan; and the latter with the session's end."""
    session = rms.open(Path(os.environ["BENCH"]) / f"tiny{os.getpid()}.rms")
    seconds = plan_in(session, nothing, TINY)
    get_reusable_executor().shutdown(wait=True)
    ran = cpu()
    session.close()
    print(seconds, ran, cpu())


def raw_tiny() -> None:
    """Print the same of joblib alone."""
    seconds = raw(nothing, TINY)
    get_reusable_executor().shutdown(wait=True)
    print(seconds, cpu())


def naps() -> None:
    """Print the seconds of a plan of naps, on workers that are there."""
    plan_of(nap, 4, f"first{os.getpid()}")
    print(plan_of(nap, NAPS, f"naps{os.getpid()}"))


def raw_naps() -> None:
    """Print the same of joblib alone."""
    raw(nap, 4)
    print(raw(nap, NAPS))


def chain() -> float:
    """Run a chain of calls, each of the result of the one before; gives seconds."""
    session = rms.open(Path(os.environ["BENCH"]) / "chain.rms")
    pipe = session.register_pipe(lambda x: x + 1, name="link")
    with session.plan() as plan:
        result = pipe(0)
        for _ in range(LINKS - 1):
            result = pipe(result)
    began = time.perf_counter()
    plan.run(n_jobs=1)
    seconds = time.perf_counter() - began
    assert result.content == LINKS
    session.close()
    return seconds


def on_dask() -> dict[str, str]:
    """Tasks of 0 ms on a cluster of two workers, by a plan and by Dask's own submit."""
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        session = rms.open(Path(os.environ["BENCH"]) / "dask.rms")
        client.gather(client.map(nothing, range(-4, 0)))
        began = time.perf_counter()
        client.gather([client.submit(nothing, i) for i in range(SUBMITTED)])
        theirs = time.perf_counter() - began
        ours = plan_in(session, nothing, SUBMITTED, executor=client)
        session.close()
    return {
        "what": f"{SUBMITTED:,} tasks of 0 ms on two Dask workers",
        "here": f"{ours / SUBMITTED * 1e6:.0f} µs a task",
        "beside": f"Dask's own submit {theirs / SUBMITTED * 1e6:.0f} µs",
    }


def peers() -> list[dict[str, str]]:
    """Cold and warm runs of 5,000 tasks by doit and pipefunc, beside ours on one core."""
    os.chdir(os.environ["BENCH"])
    Path("dodo.py").write_text(
        f"def task_n():\n    for i in range({PEERS}):\n"
        "        yield {'name': str(i), 'actions': [(lambda i: None, [i])], 'uptodate': [True], 'targets': []}\n"
    )
    Path("empty.py").write_text("def task_n():\n    yield {'name': 'one', 'actions': []}\n")
    doit = [sys.executable, "-m", "doit", "run", "-v", "0", "--reporter", "zero"]
    times = {name: [] for name in ("cold", "warm", "start")}
    for _ in range(5):
        for name, arguments in {"cold": [], "warm": [], "start": ["-f", "empty.py"]}.items():
            began = time.perf_counter()
            subprocess.run([*doit, *arguments], check=True, stdout=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - began)
        for made in Path().glob(".doit.db*"):
            made.unlink()
    times = {("doit", name): statistics.median(found) for name, found in times.items()}
    import pipefunc

    function = pipefunc.pipefunc(output_name="y", mapspec="x[i] -> y[i]")(lambda x: x)
    pipeline = pipefunc.Pipeline([function])
    for name in ("cold", "warm"):
        began = time.perf_counter()
        resume = {"cleanup": False} if name == "warm" else {}
        pipeline.map({"x": list(range(PEERS))}, run_folder="pf", parallel=False, storage="file_array", **resume)
        times["pipefunc", name] = time.perf_counter() - began
    ours = [(plan_of(nothing, PEERS, f"peers{n}", 1), plan_of(nothing, PEERS, f"peers{n}", 1)) for n in range(5)]
    times["ours", "cold"], times["ours", "warm"] = map(statistics.median, zip(*ours, strict=True))
    rows = []
    for name in ("cold", "warm"):
        mine, theirs, other = times["ours", name], times["doit", name] - times["doit", "start"], times["pipefunc", name]
        beside = f"doit {theirs / PEERS * 1e6:.0f} µs, pipefunc {other / PEERS * 1e6:.0f} µs"
        rows.append(
            {"what": f"a task of a plan, {name}, one core", "here": f"{mine / PEERS * 1e6:.0f} µs", "beside": beside}
        )
    return rows


MEASUREMENTS = {"tiny": tiny, "raw_tiny": raw_tiny, "naps": naps, "raw_naps": raw_naps}


def main() -> None:
    """Measure."""
    if sys.argv[1:]:
        MEASUREMENTS[sys.argv[1]]()
        return
    both, loops = [], []
    for _ in range(5):
        both.append(in_new_process("tiny") + in_new_process("raw_tiny"))
        loops += processor_times_of_a_loop()
    disturbed = statistics.median(loops) / min(loops)
    ours, theirs = statistics.median(run[0] for run in both), statistics.median(run[3] for run in both)
    above = statistics.median(run[1] - run[4] for run in both) / TINY * 1e6
    closing = statistics.median(run[2] - run[1] for run in both) / TINY * 1e6
    ratios = [in_new_process("raw_naps")[0] / in_new_process("naps")[0] for _ in range(3)]
    rows = [
        {"what": f"{TINY:,} tasks of 0 ms on two workers: processor time above joblib's", "here": f"{above:.0f} µs a task",
         "beside": f"{ours:.1f} s, joblib.Parallel {theirs:.1f} s", "bound": "≤ 40 µs"},
        {"what": "... beside it, a fixed loop of Python alone: its median time over its least", "here": f"{disturbed:.1f}",
         "beside": "1.0 where nothing disturbs the machine"},
        {"what": "... to compress and index them at the session's end", "here": f"{closing:.0f} µs a task"},
        {"what": f"{NAPS} tasks of 50 ms on two workers", "here": f"{statistics.median(ratios):.0%} of joblib's speed", "bound": "≥ 95 %"},
        {"what": f"a chain of {LINKS:,} calls", "here": f"{chain() / LINKS * 1e3:.2f} ms a link", "bound": "≤ 1 ms"},
    ]  # fmt: skip
    report([*rows, on_dask(), *peers()])


if __name__ == "__main__":
    main()
