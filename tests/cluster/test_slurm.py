"""Plans on SLURM: real jobs of a real one-node SLURM; a cancelled job loses nothing; the notebook moves there by a line."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dask.config
import nbformat
import numpy as np
import pytest

import rms_jupyter as rms
from tests.cluster.slurm import Slurm

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "cluster.ipynb"

pytestmark = pytest.mark.skipif(
    os.getuid() != 0 or not shutil.which("apt-get"), reason="needs root on Debian to install and start SLURM"
)

_interrupt = signal.getsignal(signal.SIGINT)
from dask_jobqueue import SLURMCluster  # noqa: E402 - it takes SIGINT for itself when it is imported

signal.signal(signal.SIGINT, _interrupt)


SITE = """
jobqueue:
  slurm:
    interface: lo
    log-directory: {folder}
    job-script-prologue: ["export PYTHONPATH={root}"]
    scheduler-options: {{dashboard_address: ":0"}}
"""


@pytest.fixture(scope="module")
def slurm():
    """A SLURM that every command of this process finds, with what a site configures once for all its notebooks."""
    with tempfile.TemporaryDirectory() as folder, Slurm(Path(folder)) as slurm:
        (Path(folder) / "site.yaml").write_text(SITE.format(folder=folder, root=ROOT))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DASK_CONFIG", folder)
            for name, value in slurm.env.items():
                patch.setenv(name, value)
            dask.config.refresh(paths=[folder])
            yield slurm
    dask.config.refresh()


def jobs_of_dask():
    return SLURMCluster(cores=1, memory="1GB", walltime="00:10:00")


def test_a_plan_runs_in_jobs_and_is_never_run_again(slurm, s):
    def where(x, i):
        time.sleep(0.1)
        return os.environ.get("SLURM_JOB_ID", ""), float(x[i])

    where = s.register_pipe(where)
    x = np.arange(200_000.0)

    def plan():
        with s.plan() as plan:
            found = [where(x, i) for i in range(12)]
        return plan, found

    first, found = plan()
    with jobs_of_dask() as cluster:
        cluster.scale(jobs=2)
        assert first.run(executor=cluster).counts == {"done": 12}
        jobs = {f.content[0] for f in found}
        assert jobs and jobs <= set(slurm.jobs())
    assert [f.content[1] for f in found] == list(range(12))
    second, again = plan()
    assert second.run(n_jobs=1).counts == {"hit": 12} and again[0].content[0] in jobs


@pytest.mark.parametrize("how", [[], ["--signal=KILL", "--full"]], ids=["politely", "at once"])
def test_a_job_that_is_cancelled_loses_nothing(slurm, s, how):
    def work(i):
        time.sleep(0.1)
        job = os.environ["SLURM_JOB_ID"]
        Path(f"{i} by {job}").touch()
        return job

    def worked_by(job):
        return len(list(Path().glob(f"* by {job}")))

    work, total = s.register_pipe(work), s.register_pipe(lambda jobs: len(jobs), name="total")
    with s.plan() as plan:
        worked = [work(i) for i in range(80)]
        count = total(worked)
    cancelled = []
    with jobs_of_dask() as cluster:
        cluster.scale(jobs=2)

        def cancel(snapshot):
            jobs = [] if cancelled else slurm.jobs()
            if len(jobs) == 2 and all(worked_by(job) >= 6 for job in jobs):
                cancelled.append(jobs[0])
                slurm.run("scancel", *how, cancelled[0])

        assert plan.run(executor=cluster, watch=cancel).counts == {"done": 81}
        assert cancelled and cancelled[0] not in slurm.jobs()
    assert count.content == 80
    assert cancelled[0] in {job.content for job in worked} and cancelled[0] != worked[-1].content


def test_the_notebook_moves_to_slurm_by_one_line(slurm, tmp_path):
    book = nbformat.read(NOTEBOOK, 4)
    [line] = [found[1] for cell in book.cells if (found := re.search(r"```python\n(.*?)```", cell.source, re.S))]
    [cell] = [
        cell for cell in book.cells if cell.source.endswith("where = LocalCluster(n_workers=2, threads_per_worker=1)")
    ]
    cell.source = line
    (tmp_path / "notebooks").mkdir()
    nbformat.write(book, tmp_path / "notebooks" / "cluster.ipynb")
    command = [sys.executable, str(ROOT / "notebooks" / "run.py"), "notebooks/cluster.ipynb"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr + slurm.log()
    with rms.open(tmp_path / "notebooks" / "data" / "cluster.rms", read_only=True) as s:
        walks = s.sql("SELECT regexp_extract(text, 'SLURM job (\\w+)', 1) AS job, count(*) FROM logs GROUP BY ALL")
        counts = dict(walks.fetchall())
    assert counts.pop("none") == 8 and sum(counts.values()) == 32 and all(map(str.isdigit, counts))
