"""The digests of everyday values of many packages hold: in any process, whatever is done with them, and once kept."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.values import table

ROOT = Path(__file__).parents[2]
VALUES, NOT_COPIED, NOT_KEPT, NO_DIGEST = map(table, ("VALUES", "NOT_COPIED", "NOT_KEPT", "NO_DIGEST"))


@pytest.fixture(scope="module")
def found():
    """What two processes with different hash seeds find."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.values"]
    return [_run(command, seed) for seed in ("1", "2")]


def _run(command, seed):
    env = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg", "HOME": "/nonexistent"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout)


@pytest.mark.timeout(900)
def test_there_are_many(found):
    assert len(VALUES) > 300 and set(found[0]) == set(found[1]) == {*VALUES, *NOT_COPIED, *NOT_KEPT, *NO_DIGEST}


@pytest.mark.parametrize("text", VALUES)
def test_a_digest_holds(text, found):
    one, other = (process[text] for process in found)
    assert "restored" in one, one
    assert dict.fromkeys(one, one["made"]) == one == other


@pytest.mark.parametrize("text", NOT_COPIED)
def test_what_pickle_loses_is_kept(text, found):
    one, other = (process[text] for process in found)
    kept = {state: one.get(state) for state in ("made", "made again", "used", "restored")}
    assert dict.fromkeys(kept, one["made"]) == kept and one["made"] == other["made"]


@pytest.mark.parametrize("text", NOT_KEPT)
def test_what_cannot_be_kept_exactly_says_so(text, found):
    one, other = (process[text] for process in found)
    assert "cannot be " in one["not kept"] and "restored" not in one
    assert one["made"] == one["made again"] == one["used"] == other["made"]


@pytest.mark.parametrize("text", NO_DIGEST)
def test_what_has_no_digest_says_so(text, found):
    assert all(process[text].get("refused") for process in found)


def test_two_values_never_have_one_digest(found):
    seen = {}
    for text, states in found[0].items():
        if made := states.get("made"):
            assert made not in seen, f"{text} and {seen[made]}"
            seen[made] = text
