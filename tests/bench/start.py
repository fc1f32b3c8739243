"""What ``%load_ext rms_jupyter`` adds to IPython's start."""

from __future__ import annotations

import statistics
import subprocess
import sys

from tests.bench.report import report

CODE = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
began = time.perf_counter()
shell.run_line_magic("load_ext", "rms_jupyter")
print(time.perf_counter() - began)
"""


def main() -> None:
    """Measure."""
    taken = [
        float(subprocess.run([sys.executable, "-c", CODE], stdout=subprocess.PIPE, text=True, check=True).stdout)
        for _ in range(7)
    ]
    here = f"{statistics.median(taken) * 1e3:.0f} ms"
    report([{"what": "%load_ext adds to IPython's start", "here": here, "bound": "≤ 150 ms"}])


if __name__ == "__main__":
    main()
