"""Runs a notebook headless, and says what it computed, how long it took, and how to open it.

``python notebooks/run.py notebooks/quickstart.ipynb``: the executed copy goes to ``build/``.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import rms_jupyter as rms
from rms_jupyter.views.wording import duration

NEW = """
    SELECT pipe, count(*), sum(seconds) FROM tasks WHERE started_at >= ? GROUP BY pipe ORDER BY min(started_at)
"""


def run(path: Path) -> int:
    """Run a notebook; gives the exit status."""
    book = nbformat.read(path, as_version=4)
    print(f"running {path} ...", flush=True)
    began, clock = datetime.now(UTC).replace(tzinfo=None), time.monotonic()
    client = NotebookClient(
        book, resources={"metadata": {"path": str(path.parent)}}, timeout=1200, kernel_name="python3"
    )
    client.extra_arguments = ["--IPKernelApp.log_level=ERROR"]
    try:
        client.execute()
    except CellExecutionError as error:
        print(error)
        return 1
    seconds = time.monotonic() - clock
    executed = Path("build", path.name)
    executed.parent.mkdir(exist_ok=True)
    nbformat.write(book, executed)
    if (store := path.parent / ".rms").exists():
        print(*account(store, began), sep="\n")
    print(f"\nin {duration(seconds)}, the kernel's start included; the executed notebook is {executed}")
    print("to see it in JupyterLab: make lab")
    return 0


def account(store: Path, began: datetime) -> list[str]:
    """Say what the store has from this run."""
    with rms.open(store, read_only=True) as session:
        rows = session.sql(NEW, [began]).fetchall()
        total, saved = session.sql("SELECT count(*), sum(seconds) FROM tasks WHERE status = 'done'").fetchall()[0]
        figures = session.sql("SELECT path FROM figures WHERE path IS NOT NULL").fetchall()
    if not rows:
        lines = [f"computed nothing: all of {total} calls were answered from the store, which saved {duration(saved)}"]
    else:
        lines = ["computed:"]
        lines += [
            f"  {pipe:<14}{count:>4} call{'s' if count > 1 else ' '}  {duration(spent)}" for pipe, count, spent in rows
        ]
    return lines + [f"figure: {path}" for (path,) in figures]


if __name__ == "__main__":
    sys.exit(max(run(Path(name)) for name in sys.argv[1:]))
