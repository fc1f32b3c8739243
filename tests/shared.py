"""What pytest-xdist's workers share: a folder of the session, and the machine."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def folder_of_the_session(tmp_path_factory) -> Path:
    """The folder in which all workers of a session find the same."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(autouse=True)
def room(request, folder_of_the_session) -> Iterator[None]:
    """Let a test that measures the whole machine begin when no other runs, and others wait for its end."""
    alone = request.node.get_closest_marker("whole_machine")
    with contextlib.ExitStack() as entered:
        with _locked(folder_of_the_session / "door", fcntl.LOCK_EX):  # Held by the one who waits, so others queue up.
            entered.enter_context(_locked(folder_of_the_session / "room", fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
        yield


@contextlib.contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, how)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)  # A child that was forked meanwhile may have it open still.
