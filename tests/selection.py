"""Which tests run, and on which of pytest-xdist's workers?

Tests in the browser share one JupyterLab and one Chromium, those of a module in `tests/cluster` its clusters, a few others
what takes long to make: each of these is a group, which one worker runs from its beginning while others take the rest
one by one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ONE_EXECUTOR = "serial"
SHARING = (
    "tests/cluster/",
    "tests/behaviour/test_install.py",
    "tests/behaviour/test_everyday_code.py",
    "tests/unit/test_values_hold.py",
)


def pytest_addoption(parser):
    parser.addoption(
        "--quick",
        action="store_true",
        help="run only unit tests, those of each way to run a plan in one way, and one in the browser",
    )


def pytest_collection_modifyitems(config, items):
    if config.getoption("--quick"):
        left_out = [item for item in items if not _is_quick(item)]
        items[:] = [item for item in items if _is_quick(item)]
        config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Deal out groups by the names of files; the marks of `--dist loadgroup` are not seen with pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            if file.startswith("tests/browser/"):
                return "tests/browser"
            return file if file.startswith(SHARING) else nodeid

    return Groups(config, log)


def _is_quick(item: pytest.Item) -> bool:
    if "where" in getattr(item, "fixturenames", ()):
        return item.callspec.params["where"] == ONE_EXECUTOR
    if item.get_closest_marker("smoke"):
        return True
    return not any(item.path.is_relative_to(TESTS / folder) for folder in ("behaviour", "cluster", "browser"))
