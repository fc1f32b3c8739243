"""Runs the benchmarks and prints their table: ``python -m tests.bench [NAME...]``; ``--write`` puts it into BENCHMARKS.md."""

from __future__ import annotations

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
    names = [name for name in arguments if not name.startswith("-")] or NAMES
    compileall.compile_dir(HERE.parents[1] / "rms_jupyter", quiet=1)  # As is done where a package is installed.
    rows = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", f"tests.bench.{name}"]
            print(f"{name} ...", file=sys.stderr, flush=True)
            ran = subprocess.run(
                command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "BENCH": folder}
            )
            rows += json.loads(ran.stdout.splitlines()[-1])
    table = _table(rows)
    print(table)
    if "--write" in arguments:
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
