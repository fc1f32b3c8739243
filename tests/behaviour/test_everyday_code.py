"""Everyday code prints as pipes what it prints plainly: the first time, and in the next process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.everyday import PIECES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What each piece prints: plainly, as a pipe, and as a pipe in the next process."""
    folder = tmp_path_factory.mktemp("pieces")
    return [_run("plain", folder / "plain"), _run("pipes", folder / "pipes"), _run("pipes", folder / "pipes")]


def _run(mode, folder):
    command = [sys.executable, "-m", "tests.everyday", mode, str(folder)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    return json.loads(subprocess.run(command, env=env, capture_output=True, text=True, check=True, cwd=ROOT).stdout)


@pytest.mark.parametrize("name", PIECES)
def test_it_prints_what_it_prints_plainly(printed, name):
    plainly, first, again = (process[name] for process in printed)
    assert plainly and "Error: " not in plainly
    assert first == plainly and again == plainly
