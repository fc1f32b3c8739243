"""What all tests share: a store of their own, and a real kernel."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import rms_jupyter as rms
from rms_jupyter.fingerprint.origin import add_project
from tests import warm
from tests.cluster.dask import Dask
from tests.kernel import FrontEnd, Kernel
from tests.selection import (  # noqa: F401 - pytest finds them here
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_xdist_make_scheduler,
)
from tests.shared import folder_of_the_session, room  # noqa: F401

# No property is a timed test: a busy machine is slow.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

add_project(Path(__file__).parents[1])  # What the tests define is the user's, wherever they work.


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Work in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return tmp_path


@pytest.fixture(scope="session", autouse=True)
def key_of_the_tests(tmp_path_factory):
    """Sign the stores of the tests with a key of their own, not with the user's, and keep their databases apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def closed_sessions():
    """Leave no session open."""
    yield
    from rms_jupyter import opening

    for session in list(opening._sessions):
        session.close()


@pytest.fixture(scope="session", autouse=True)
def nothing_spare():
    """Leave no interpreter behind that waits to become a kernel."""
    yield
    warm.end()


@pytest.fixture
def s(tmp_path):
    """An open session on a new store."""
    with rms.open(tmp_path / "test.rms") as session:
        yield session


@pytest.fixture
def reopen(tmp_path):
    """Open the store of `s` anew, as another kernel would."""

    def reopen(session):
        session.close()
        return rms.open(session.path)

    return reopen


@pytest.fixture
def write_lab(tmp_path, monkeypatch):
    """Write `lab.py`, as an editor does; gives the module's reloader."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(text):
        (tmp_path / "lab.py").write_text(text)
        importlib.invalidate_caches()

    yield write
    sys.modules.pop("lab", None)


@pytest.fixture(scope="session")
def cluster_of_the_session(tmp_path_factory):
    """Gives a Dask cluster of two workers: begun when it is first asked for, and anew when a test has broken it."""
    with contextlib.ExitStack() as running:
        dask = None

        def give():
            nonlocal dask
            if dask is None or not dask.is_whole:
                running.close()
                dask = running.enter_context(Dask(tmp_path_factory.mktemp("dask")))
            return dask

        yield give


@pytest.fixture(params=["serial", "threads", "loky", "dask"])
def where(request):
    """The name of each way to run a plan, as ``--on`` takes it."""
    if request.param == "dask":
        return f"dask://{request.getfixturevalue('cluster_of_the_session')().address}"
    return request.param


@pytest.fixture
def how(where):
    """Options of `plan.run` for each way to run a plan."""
    if where == "threads":
        with ThreadPoolExecutor(2) as executor:
            yield {"executor": executor}
    elif where.startswith("dask"):
        yield {"executor": where}
    else:
        yield {"n_jobs": 1 if where == "serial" else 2}


@pytest.fixture
def pyplot():
    """Pyplot without a display, and with no figure open before and after."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    pyplot.close("all")
    yield pyplot
    pyplot.close("all")


@pytest.fixture
def kernel(tmp_path):
    """A real IPython kernel with the extension loaded, working in the test's folder."""
    kernel = Kernel(tmp_path).__enter__()
    kernel.run("%load_ext rms_jupyter")
    yield kernel
    kernel.leave()


@pytest.fixture
def front_end(kernel):
    """What asks the kernel's questions, as JupyterLab does."""
    kernel.run("import rms_jupyter as rms")
    return FrontEnd(kernel)


def soak() -> bool:
    """Whether the long runs are asked for."""
    return bool(os.environ.get("RMS_SOAK"))
