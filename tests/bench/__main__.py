"""Runs the benchmarks and prints their table: ``python -m tests.bench [NAME...]``; ``--write`` puts it into BENCHMARKS.md."""

from __future__ import annotations

import argparse
import compileall
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
NAMES = (
    "calls",
    "plans",
    "flows",
    "running",
    "digests",
    "values",
    "check",
    "million",
    "answers",
    "start",
    "figures",
    "browser_lineage",
    "browser_watch",
    "browser_panel",
)


def main(arguments: list[str]) -> None:
    """Run the benchmarks asked for, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure, and print a table.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; all of them by default")
    parser.add_argument("--write", action="store_true", help="put the table into BENCHMARKS.md")
    options = parser.parse_args(arguments)
    compileall.compile_dir(HERE.parents[1] / "rms_jupyter", quiet=1)  # As is done where a package is installed.
    rows = []
    for name in options.names or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", f"tests.bench.{name}"]
            print(f"{name} ...", file=sys.stderr, flush=True)
            ran = subprocess.run(
                command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "BENCH": folder}
            )
            rows += json.loads(ran.stdout.splitlines()[-1])
    table = _table(rows)
    print(table)
    if options.write:
        readme = HERE.parents[1] / "BENCHMARKS.md"
        text = readme.read_text()
        readme.write_text(re.sub(r"(?s)(<!-- bench -->\n).*?(<!-- /bench -->)", rf"\g<1>{table}\n\g<2>", text))


def _table(rows: list[dict[str, str]]) -> str:
    lines = ["| what | here | beside | bound |", "| --- | --- | --- | --- |"]
    return "\n".join(
        lines + [f"| {r['what']} | {r['here']} | {r.get('beside', '')} | {r.get('bound', '')} |" for r in rows]
    )


if __name__ == "__main__":
    main(sys.argv[1:])
