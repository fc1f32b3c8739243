"""Plans on Dask: real processes on the loopback, with and without the store's disk; a killed worker loses nothing."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from distributed import Client, Event, LocalCluster
from distributed.comm import connect

import rms_jupyter as rms
from rms_jupyter.run.workers import dask_cluster, executors
from tests.cluster.dask import Dask

ROOT = Path(__file__).parents[2]
ON_OUR_DISK, ELSEWHERE = "on our disk", "elsewhere"


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """The folder that holds the folders of all tests."""
    return tmp_path_factory.getbasetemp()


@pytest.fixture(scope="module", params=[ON_OUR_DISK, ELSEWHERE])
def dask(request, everything):
    """A cluster whose workers see the folders of the tests, or do not."""
    hidden = everything if request.param == ELSEWHERE else None
    with tempfile.TemporaryDirectory() as logs, Dask(Path(logs), hidden=hidden) as dask:
        dask.where = request.param
        yield dask


@pytest.fixture
def logs():
    """A folder that workers elsewhere see, too."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def no_clients():
    """Close the connections that names made."""
    yield
    for client in executors._clients.values():
        client.close()
    executors._clients.clear()


def on(dask):
    return f"dask://{dask.address}"


def analysis(s):
    """A plan over numbers, arrays, frames, and results of each other, large and small."""

    def make(n):
        return np.arange(n, dtype=float)

    def scale(x, factor):
        print(f"times {factor}")
        return x * factor

    def frame(xs, names):
        import pandas as pd

        return pd.DataFrame({name: x[:1000] for name, x in zip(names, xs, strict=True)})

    def total(x):
        return float(x.sum().sum())

    def where():
        return os.getpid()

    make, scale, frame, total = map(s.register_pipe, (make, scale, frame, total))
    where = s.register_pipe(where)
    given = np.ones((500, 600))
    with s.plan() as plan:
        made = [make(n) for n in (10, 300_000)]
        scaled = [scale(x, k) for x in (*made, given) for k in (2, 3)]
        table = frame(scaled[2:4], ["a", "b"])
        totals = [total(x) for x in (*scaled, table)]
        pid = where()
    return plan, totals, table, pid


def test_a_plan_runs_there_and_is_never_run_again(dask, s, reopen):
    plan, totals, table, pid = analysis(s)
    assert plan.run(executor=on(dask)).counts == {"done": len(plan)}
    n = np.arange(10).sum(), np.arange(300_000).sum(), 300_000, np.arange(1000).sum()
    expected = [n[0] * 2, n[0] * 3, n[1] * 2, n[1] * 3, n[2] * 2, n[2] * 3, n[3] * 5]
    assert [t.content for t in totals] == expected
    assert isinstance(table.content, pd.DataFrame) and list(table.content.columns) == ["a", "b"]
    assert pid.content != os.getpid()
    assert s.sql("SELECT count(*) FROM logs WHERE text LIKE 'times %'").fetchall() == [(6,)]
    with reopen(s) as again:
        plan, totals, _, _ = analysis(again)
        assert plan.run(executor=on(dask)).counts == {"hit": len(plan)}
        assert [t.content for t in totals] == expected
        assert plan.run(n_jobs=1).counts == {"hit": len(plan)}


def test_files(dask, s, tmp_path):
    def count(path):
        with open(path) as file:
            return len(file.read())

    def write(out, text):
        with open(out, "w") as file:
            file.write(text)

    count, write = s.register_pipe(count), s.register_pipe(write, outputs=["out"])
    (tmp_path / "in.txt").write_text("hello")
    with s.plan() as plan:
        counted = [count("in.txt"), count(str(tmp_path / "in.txt")), count(s.register_file("in.txt"))]
    with s.plan() as writing:
        written = write("out.txt", "some words")
        again = count(written)
    if dask.where == ON_OUR_DISK:
        plan.run(executor=on(dask))
        assert [c.content for c in counted] == [5, 5, 5]
        writing.run(executor=on(dask))
        assert written.replacement.path == str(tmp_path / "out.txt") and again.content == 10
        assert s.files(pipe="write")[0].path == str(tmp_path / "out.txt")
    else:
        with pytest.raises(rms.PlanFailed, match=r"in\.txt is not there on the worker's machine.*\n→"):
            plan.run(executor=on(dask))
        with pytest.raises(rms.PlanFailed, match=r"the working directory \S+ is not there on the worker") as caught:
            writing.run(executor=on(dask))
        assert caught.value.report.counts == {"failed": 1, "upstream_failed": 1}
        there(dask, f"__import__('os').makedirs({str(tmp_path)!r})")
        with s.plan() as writing:
            write("out.txt", "some words")
        with pytest.raises(rms.PlanFailed, match=r"out\.txt was written on the worker's disk"):
            writing.run(executor=on(dask))
        assert not (tmp_path / "out.txt").exists()


def there(dask, expression):
    """Evaluate an expression on each worker."""
    with Client(f"tcp://{dask.address}", set_as_default=False) as client:
        client.run(eval, expression)


@pytest.mark.parametrize("dask", [ELSEWHERE], indirect=True)
def test_a_file_of_the_same_name_there_is_not_taken_for_ours(dask, s):
    def count(path):
        return len(open(path).read())

    count = s.register_pipe(count)
    with open("same.txt", "w") as file:
        file.write("ours")
    path = os.path.abspath("same.txt")
    there(dask, f"__import__('os').makedirs({os.getcwd()!r}, exist_ok=True)")
    there(dask, f"open({path!r}, 'w').write('theirs')")
    with s.plan() as plan:
        count("same.txt")
    with pytest.raises(rms.PlanFailed, match=r"same\.txt is another file on the worker's machine"):
        plan.run(executor=on(dask))


@pytest.mark.parametrize("kind", ["given", "made"])
def test_a_large_input_of_many_tasks_travels_once(dask, s, kind, monkeypatch):
    sent = []
    scatter = Client.scatter
    monkeypatch.setattr(Client, "scatter", lambda self, data, **kw: sent.append(len(data)) or scatter(self, data, **kw))

    use = s.register_pipe(lambda x, k: float(x[1] * k), name="use")
    make = s.register_pipe(lambda: np.full(1_000_000, 2.0), name="make")
    x = np.full(1_000_000, 2.0) if kind == "given" else make()
    with s.plan() as plan:
        used = [use(x, k) for k in range(30)]
    plan.run(executor=on(dask))
    assert [u.content for u in used] == [2.0 * k for k in range(30)]
    if kind == "made" and dask.where == ON_OUR_DISK:
        assert sent == []
    else:
        assert sent and min(sent) >= 8_000_000 and len(sent) <= 2


def test_a_given_array_may_be_changed_by_the_function(dask, s):
    def change(x):
        x[0] = 5
        return float(x.sum())

    change = s.register_pipe(change)
    x = np.zeros(200_000)
    with s.plan() as plan:
        changed = [change(x), change(x + 1)]
    with pytest.warns(rms.RmsWarning, match="does not reach the notebook from a worker"):
        plan.run(executor=on(dask))
    assert [c.content for c in changed] == [5.0, 200_004.0] and x[0] == 0


def test_an_isolated_task_runs_in_a_process_of_its_own_there(dask, s):
    def parent(x):
        return os.getppid(), x * 2

    def dies(x):
        os.kill(os.getpid(), signal.SIGKILL)

    parent, dies = s.register_pipe(parent, isolate=True), s.register_pipe(dies, isolate=True)
    slow = s.register_pipe(lambda: time.sleep(60), name="slow", timeout=0.5)
    where = s.register_pipe(lambda i: os.getpid() if time.sleep(0.1) is None else i, name="where")
    x = np.ones(300_000)
    with s.plan() as plan:
        found = parent(x)
    plan.run(executor=on(dask))
    assert found.content[0] in {worker.pid for worker in dask.workers} and found.content[1].sum() == 600_000
    with s.plan() as plan:
        dies(found.replacement)
        slow()
        where(100)
    with pytest.raises(rms.PlanFailed, match=r"dies\(.*its process was killed by SIGKILL") as caught:
        plan.run(executor=on(dask))
    assert caught.value.report.counts == {"failed": 1, "timed_out": 1, "done": 1}


def test_a_value_that_is_not_kept_travels_too(dask, s):
    load = s.register_pipe(lambda n: np.arange(float(n)), name="load", volatile=True)
    last = s.register_pipe(lambda x, k: float(x[-1] + k), name="last")
    with s.plan() as plan:
        found = [last(load(n), k) for n in (10, 200_000) for k in range(3)]
    plan.run(executor=on(dask))
    assert [f.content for f in found] == [9.0, 10.0, 11.0, 199_999.0, 200_000.0, 200_001.0]
    assert not list((s.path / "objects").rglob("*.npy"))


def test_a_failure_there_stops_only_what_depends_on_it(dask, s):
    def fails(x):
        print("before")
        raise ValueError(f"no {x}")

    fails, add = s.register_pipe(fails), s.register_pipe(lambda i, j=2: i + j, name="add")
    with s.plan() as plan:
        bad = fails(1)
        add(bad)
        good = add(5)
    with pytest.raises(rms.PlanFailed, match=r"fails\(1\) failed: ValueError: no 1"):
        plan.run(executor=on(dask))
    assert good.content == 7
    assert s.sql("SELECT status, error FROM tasks WHERE pipe = 'fails'").fetchall()[0][0] == "failed"


@pytest.mark.parametrize("hidden", [False, True], ids=[ON_OUR_DISK, ELSEWHERE])
def test_a_worker_that_is_killed_loses_nothing(s, logs, everything, hidden, tmp_path):
    def work(x, i):
        time.sleep(0.1)
        return x * i

    work, total = s.register_pipe(work), s.register_pipe(lambda xs: float(sum(x[-1] for x in xs)), name="total")
    x = np.arange(300_000.0)
    with s.plan() as plan:
        worked = [work(x, i) for i in range(30)]
        result = total(worked)
    with Dask(logs, hidden=everything if hidden else None) as dask:
        orphans = []

        def kill(snapshot):
            if snapshot.counts["done"] >= 6 and not orphans:
                orphans.extend(psutil.Process(dask.workers[0].pid).children())
                dask.workers[0].send_signal(signal.SIGKILL)

        assert plan.run(executor=on(dask), watch=kill).counts == {"done": 31}
        assert dask.workers[0].wait(1) == -signal.SIGKILL
        assert orphans and not psutil.wait_procs(orphans, 5)[1]
    assert result.content == 299_999.0 * sum(range(30))


def test_a_large_input_that_only_the_killed_worker_held_is_sent_again(s, logs):
    def work(x, marker):
        if not os.path.exists(marker):
            open(marker, "w").close()
            time.sleep(60)
        return float(x[-1])

    work = s.register_pipe(work)
    marker = logs / "marker"
    with s.plan() as plan:
        result = work(np.arange(300_000.0), str(marker))
    with Dask(logs, workers=1) as dask, Client(f"tcp://{dask.address}", set_as_default=False) as client:

        def replace_the_worker(snapshot):
            if len(dask.workers) == 1 and marker.exists():
                dask.add_worker(1)
            elif len(client.nthreads()) == 2:
                dask.workers[0].kill()

        plan.run(executor=on(dask), watch=replace_the_worker)
    assert result.content == 299_999.0


def test_an_interrupt_takes_back_what_waits_there(s, logs):
    def work(i):
        time.sleep(0.2)
        return i

    work = s.register_pipe(work)

    def interrupt(snapshot):
        if snapshot.counts["done"] >= 2:
            raise KeyboardInterrupt

    def plan():
        with s.plan() as plan:
            for i in range(20):
                work(i)
        return plan

    with Dask(logs) as dask, Client(f"tcp://{dask.address}", set_as_default=False) as client:
        with pytest.raises(KeyboardInterrupt):
            plan().run(executor=on(dask), watch=interrupt)
        until = time.monotonic() + 10
        while any(client.processing().values()):
            assert time.monotonic() < until
            time.sleep(0.1)
        done = s.sql("SELECT count(*) FROM tasks WHERE status = 'done'").fetchall()[0][0]
        assert 2 <= done < 20
        assert plan().run(executor=on(dask)).counts == {"hit": done, "done": 20 - done}


def test_a_stopped_run_harms_no_other_client_of_its_workers(s, logs):
    def work(i):
        os.environ["OF_A_TASK"] = "here"
        time.sleep(60)

    work = s.register_pipe(work)
    with s.plan() as plan:
        for i in range(4):
            work(i)
    with Dask(logs, threads=2) as dask, Client(f"tcp://{dask.address}", set_as_default=False) as other:
        process = "(__import__('os').getpid(), __import__('os').getcwd(), 'OF_A_TASK' in __import__('os').environ)"
        before = other.run(eval, process)
        theirs = other.map(lambda _: Event("plan stopped").wait(60), range(2), pure=False)
        plan.run(executor=on(dask), background=True)
        wait_until(lambda: len(children_of(dask)) == 2)
        assert {future.status for future in theirs} == {"pending"}
        plan.stop()
        assert plan.wait(10).counts == {"cancelled": 4}
        assert not children_of(dask)
        Event("plan stopped", client=other).set()
        assert other.gather(theirs) == [True] * 2 and other.run(eval, process) == before


def test_what_a_killed_kernel_has_left_there_is_stopped(cluster_of_the_session, kernel):
    dask = cluster_of_the_session()
    kernel.run("%%rms\nimport time\ndef work(i):\n    time.sleep(60)")
    kernel.run(f"%%rms run --on dask://{dask.address} --background\nrs = [work(i) for i in range(4)]")
    wait_until(lambda: len(children_of(dask)) == 2)
    kernel.kill()
    wait_until(lambda: not children_of(dask))


def children_of(dask):
    """Processes that the workers have started."""
    return [process for worker in dask.workers for process in psutil.Process(worker.pid).children(recursive=True)]


def wait_until(holds):
    give_up = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def spans(folder, i):
    """Note when the task began and ended, and on which worker."""
    began = time.time()
    time.sleep(0.3)
    Path(folder, str(i)).write_text(f"{began} {time.time()} {os.getppid()}")


def noted(folder):
    notes = [path.read_text().split() for path in Path(folder).iterdir()]
    return [(float(began), float(ended), worker) for began, ended, worker in notes]


def at_once(noted):
    """How many tasks ran at a time, at most."""
    return max(sum(began <= moment < ended for began, ended, _ in noted) for moment, _, _ in noted)


def run_spans(s, folder, dask, count, watch=None, **needs):
    pipe = s.register_pipe(spans, **needs)
    folder.mkdir()
    with s.plan() as plan:
        for i in range(count):
            pipe(str(folder), i)
    assert plan.run(executor=on(dask), watch=watch).counts == {"done": count}
    return noted(folder)


def test_workers_that_come_and_go_count(s, logs, tmp_path, monkeypatch):
    with Dask(logs, workers=1) as dask:

        def add_another(snapshot):
            if snapshot.counts["done"] == 3 and len(dask.workers) == 1:
                dask.add_worker(1)

        found = sorted(run_spans(s, tmp_path / "spans", dask, 30, add_another, cores=1, memory="1 MB"))
        assert at_once(found[:3]) == 1 and at_once(found[-6:]) == 2
        assert {worker for _, _, worker in found} == {str(worker.pid) for worker in dask.workers}

        def take_it_away(snapshot):
            if snapshot.counts["done"] == 3:
                dask.workers[1].kill()

        found = run_spans(s, tmp_path / "fewer", dask, 8, take_it_away, cores=2)
        assert at_once(found) == 1

        monkeypatch.setattr(dask_cluster, "RETURN", 0.5)
        with pytest.raises(rms.RmsError, match="all workers at .* have ended\n→ start some"):
            run_spans(s, tmp_path / "none", dask, 2, lambda snapshot: dask.workers[0].kill())


@pytest.fixture(scope="module")
def wide():
    """A cluster whose workers have two threads and 1 GB."""
    with tempfile.TemporaryDirectory() as logs, Dask(Path(logs), threads=2, memory="1 GB") as dask:
        yield dask


@pytest.mark.parametrize("needs", [{"memory": "600 MB"}, {"cores": 2}], ids=str)
def test_each_worker_runs_what_it_has_room_for(wide, s, tmp_path, needs):
    found = run_spans(s, tmp_path / "spans", wide, 6, **needs)
    assert at_once(found) == 2
    for worker in wide.workers:
        assert at_once([note for note in found if note[2] == str(worker.pid)]) == 1


def test_memory_counts_only_where_it_is_scarce(wide, s, tmp_path):
    assert at_once(run_spans(s, tmp_path / "small", wide, 12, memory="400 MB")) > 2
    assert at_once(run_spans(s, tmp_path / "larger than all", wide, 3, memory="900 TB")) == 1


def test_a_task_that_kills_its_worker_fails_alone(s, logs):
    def dies():
        os.kill(os.getpid(), signal.SIGKILL)

    dies, add = s.register_pipe(dies), s.register_pipe(lambda i: i + 1, name="add")
    with s.plan() as plan:
        dies()
        added = [add(i) for i in range(4)]
    failures = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    died = pytest.raises(rms.PlanFailed, match=r"dies\(\).*its process was killed by SIGKILL")
    with Dask(logs, nanny=True, env=failures) as dask, died as caught:
        plan.run(executor=on(dask))
    assert caught.value.report.counts == {"failed": 1, "done": 4}
    assert [a.content for a in added] == [1, 2, 3, 4]


BLOCKED = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("rms_jupyter"):
            raise ModuleNotFoundError(f"No module named {name!r}", name="rms_jupyter")
sys.meta_path.insert(0, Finder())
"""
OLDER = "import platform; platform.python_version = lambda: '3.9.1'"


@pytest.mark.parametrize(
    ("site", "said"),
    [
        (BLOCKED, r"the worker tcp://\S+ cannot import rms_jupyter\n→ start it in an environment that has"),
        (OLDER, r"the worker tcp://\S+ runs Python 3\.9\.1, this session 3\.\d+\.\d+\n→ start it with"),
    ],
    ids=["package", "python"],
)
def test_a_worker_that_cannot_do_it_is_refused_in_one_sentence(s, logs, site, said):
    (logs / "site").mkdir()
    (logs / "site" / "sitecustomize.py").write_text(site)
    add = s.register_pipe(lambda i: i + 1, name="add")
    with s.plan() as plan:
        add(1)
    path = os.pathsep.join([str(logs / "site"), os.environ.get("PYTHONPATH", "")])
    with Dask(logs, workers=1, env={"PYTHONPATH": path}) as dask, pytest.raises(rms.RmsError, match=said):
        plan.run(executor=on(dask))
    assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("site", "said"),
    [(BLOCKED, "a worker cannot import rms_jupyter"), (OLDER, r"the worker on \S+ runs Python 3\.9\.1, the session 3")],
    ids=["package", "python"],
)
def test_a_worker_that_comes_later_and_cannot_do_it_says_so(s, logs, site, said):
    (logs / "site").mkdir()
    (logs / "site" / "sitecustomize.py").write_text(site)
    wait = s.register_pipe(lambda i: time.sleep(60), name="wait")
    with s.plan() as plan:
        wait(1)
    with Dask(logs, workers=1) as dask, Client(f"tcp://{dask.address}", set_as_default=False) as client:

        def replace_the_worker(snapshot):
            if len(dask.workers) == 1:
                path = os.pathsep.join([str(logs / "site"), os.environ.get("PYTHONPATH", "")])
                dask.add_worker(1, {"PYTHONPATH": path})
            elif len(client.nthreads()) == 2:
                dask.workers[0].kill()

        with pytest.raises(rms.PlanFailed, match=said):
            plan.run(executor=on(dask), watch=replace_the_worker)


def test_a_plan_takes_clients_clusters_and_their_executors(s):
    add = s.register_pipe(lambda i: i + 1, name="add")
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster:
        with Client(cluster, set_as_default=False) as client:
            for i, executor in enumerate([client, cluster, client.get_executor()]):
                with s.plan() as plan:
                    added = add(i)
                assert plan.run(executor=executor).counts == {"done": 1}
                assert added.content == i + 1
            assert executors.executor_for(None, client)[1] == 2
        with s.plan() as plan:
            add(10)
        with pytest.raises(rms.RmsError, match="the Dask client is closed\n→ make a new one"):
            plan.run(executor=client)


def test_dask_draws_no_random_numbers_of_the_notebook(s):
    add = s.register_pipe(lambda i: i + 1, name="add")
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        with s.plan() as plan:
            add(1)
        plan.run(executor=client)
        stream = random.getstate()
        with pytest.raises(OSError):
            client.sync(connect, "tcp://127.0.0.1:1", timeout=0.1)
        client.gather(client.scatter(list(range(10))), direct=False)
        assert random.getstate() == stream


def test_a_cluster_without_workers_is_refused_and_one_whose_workers_come_is_not(s):
    add = s.register_pipe(lambda i: i + 1, name="add")
    with s.plan() as plan:
        added = add(1)
    with LocalCluster(n_workers=0, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster:
        with pytest.raises(rms.RmsError, match=r"no workers at \S+, and none asked for\n→ start some"):
            plan.run(executor=cluster)
        cluster.scale(1)
        plan.run(executor=cluster)
    assert added.content == 2


def test_a_cluster_whose_workers_were_ended_says_so_and_goes_on(s):
    slow = s.register_pipe(lambda seconds: time.sleep(seconds) or seconds, name="slow")
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:

        def run(seconds):
            with s.plan() as plan:
                slow(seconds)
            return plan.run(executor=cluster).counts

        threading.Timer(0.5, os.kill, (cluster.workers[0].pid, signal.SIGINT)).start()  # As Ctrl-C in a terminal.
        with pytest.warns(rms.RmsWarning, match="a worker of the cluster had ended .* started again"):
            assert run(1) == {"done": 1}


def test_names_of_executors(s, monkeypatch):
    add = s.register_pipe(lambda i: (os.getpid(), i), name="add")
    for name, elsewhere in [("serial", False), ("threads", False), ("loky", True)]:
        with s.plan() as plan:
            added = add(name)
        plan.run(2, executor=name)
        assert (added.content[0] != os.getpid()) == elsewhere, name
    monkeypatch.setattr(executors, "_CONNECT", "0.5s")
    with s.plan() as plan:
        add("x")
    with pytest.raises(rms.RmsError, match=r"no executor named 'lokky'\n→ use one of loky, threads, serial, dask://"):
        plan.run(executor="lokky")
    for address in ("127.0.0.1:1", "nowhere", ""):
        with pytest.raises(rms.RmsError, match="no Dask scheduler answers at"):
            plan.run(executor=f"dask://{address}")
    with pytest.raises(rms.RmsError, match="int is not an executor"):
        plan.run(executor=5)


def test_a_client_that_could_not_connect_is_closed_and_not_left_to_the_garbage_collector(s, monkeypatch):
    monkeypatch.setattr(executors, "_CONNECT", "0.5s")
    clients, construct = [], Client.__init__
    monkeypatch.setattr(
        Client, "__init__", lambda client, *a, **k: (clients.append(client), construct(client, *a, **k))[1]
    )
    for address in ("127.0.0.1:1", "nowhere", ""):
        with pytest.raises(rms.RmsError, match="no Dask scheduler answers at"):
            s.plan().run(executor=f"dask://{address}")
    assert [client.status for client in clients] == ["closed"] * 3


def test_what_keeps_a_client_from_being_made_is_raised_as_it_is(s):
    with LocalCluster(n_workers=0, dashboard_address=None) as cluster:
        pass
    with pytest.raises(RuntimeError, match="already closed or closing Cluster"):
        s.plan().run(executor=cluster)


def test_in_a_notebook(kernel, logs):
    kernel.run("%%rms\nimport os\ndef where(i):\n    return os.getpid()\nNOTHING = None")
    with Dask(logs) as dask:
        ran = kernel.run(f"%%rms run --on dask://{dask.address}\na = [where(i) for i in range(4)]")
        assert ran.ok, ran.error
        assert kernel.value("os.getpid() in [int(x) for x in a]") == "False"
        kernel.run(f"from distributed import Client\nclient = Client('tcp://{dask.address}')")
        ran = kernel.run("%%rms run --on client\nb = [where(i) for i in range(4, 8)]")
        assert ran.ok, ran.error
        assert kernel.value("os.getpid() in [int(x) for x in b]") == "False"
        kernel.run("client.close()")
    ran = kernel.run("threads = 5")
    assert kernel.run("%%rms run --on threads\nc = where(100)").ok, "a fixed name wins"
    assert kernel.value("int(c) == os.getpid()") == "True"
    assert kernel.value("'distributed' in __import__('sys').modules") == "True"


NO_VARIABLE = (
    "there is no such variable\n→ name a variable that holds an executor or a Dask cluster, or use loky, threads"
)
NO_SCHEDULER = "no Dask scheduler answers at {}\n→ check host and port; start one: dask scheduler"
NO_EXECUTORS = {
    "clinet": f"--on clinet: {NO_VARIABLE}",
    "Threads": f"--on Threads: {NO_VARIABLE}",
    "cluster.client": f"--on cluster.client: {NO_VARIABLE}",
    "five": "int is not an executor\n→ pass a concurrent.futures.Executor, a Dask Client or cluster, a name",
    "lokky": "there is no executor named 'lokkky'\n→ use one of loky, threads, serial, dask://HOST:PORT",
    "dask://": NO_SCHEDULER.format(""),
    "dask://127.0.0.1:1": NO_SCHEDULER.format("127.0.0.1:1"),
    "dask://127.0.0.1:1:2": NO_SCHEDULER.format("127.0.0.1:1:2"),
}
IMPATIENT = "from rms_jupyter.run.workers import executors\nexecutors._CONNECT = '0.5s'\n"


def test_names_that_name_no_executor(kernel):
    kernel.run(IMPATIENT + "five, lokky, three = 5, 'lokkky', 'threads'")
    kernel.run("%%rms\ndef add(i):\n    return i + 1")
    for name, said in NO_EXECUTORS.items():
        ran = kernel.run(f"%%rms run --on {name}\na = add(1)")
        assert not ran.ok and said in ran.error and "Traceback" not in ran.error, name
    ran = kernel.run("%%rms run --on three\na = add(1)")
    assert ran.ok and kernel.value("a") == "2", "a variable may hold a name"


def test_in_the_background_too_it_is_said_what_keeps_a_run_from_running(kernel):
    kernel.run(IMPATIENT)
    kernel.run("%%rms\ndef add(i):\n    return i + 1")
    assert kernel.run("%%rms run --on dask://127.0.0.1:1 --background\na = add(1)").ok
    ran = kernel.run("a.content")
    assert not ran.ok and "no Dask scheduler answers at 127.0.0.1:1\n→ check host and port" in ran.error
    told = [display["text/plain"] for display in (*ran.displays, *kernel.run("pass").displays)]
    assert any("no Dask scheduler answers" in text for text in told)


def test_distributed_is_imported_only_when_asked_for(kernel):
    kernel.run("%%rms\ndef add(i):\n    return i + 1")
    assert kernel.run("%%rms run --on threads\na = [add(i) for i in range(3)]").ok
    assert kernel.run("%%rms run -j 2\na = [add(i) for i in range(6)]").ok
    assert kernel.value("'distributed' in __import__('sys').modules") == "False"


def test_the_notebook_runs_on_one_machine(tmp_path):
    (tmp_path / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / "cluster.ipynb", tmp_path / "notebooks")
    command = [sys.executable, str(ROOT / "notebooks" / "run.py"), "notebooks/cluster.ipynb"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    text = (tmp_path / "build" / "cluster.ipynb").read_text()
    assert "10 of 10: 10 done" in text and "42 of 42: 33 done, 9 hit" in text


@pytest.mark.parametrize("isolate", [False, True])
def test_what_a_task_prints_is_seen_while_it_runs_if_its_worker_sees_the_disk(dask, s, isolate):
    def speaks(i):
        print("begun", i)
        time.sleep(2.5)
        print("ended", i)

    pipe = s.register_pipe(speaks, isolate=isolate)
    with s.plan() as plan:
        results = [pipe(i) for i in range(2)]
    plan.run(executor=on(dask), background=True)
    seen = set()
    while plan.is_running:
        seen.add(s.logs(running=True).text)
        time.sleep(0.05)
    assert any("begun 0" in text and "ended 0" not in text for text in seen) == (dask.where == ON_OUR_DISK)
    assert [r.task.printed for r in results] == [f"begun {i}\nended {i}\n" for i in range(2)]
    assert not list((s.path / "running").glob("*.log"))
