"""A real JupyterLab and a real Chromium, started once for all tests here."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.lab import PATIENCE, Lab
from tests.browser.running import Running
from tests.browser.server import Server

VIEW = {"width": 1280, "height": 900}
FAILED = pytest.StashKey[bool]()
expect.set_options(timeout=PATIENCE)
CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    """JupyterLab with the extension."""
    with Server(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="package")
def notebook_server(tmp_path_factory):
    """Notebook 7 with the extension."""
    with Server(tmp_path_factory.mktemp("notebook"), "notebook") as server:
        yield server


@pytest.fixture(scope="package")
def browser():
    """Debian's Chromium."""
    executable = shutil.which("chromium")
    assert executable, "apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def profile(browser):
    """Keeps what pages have loaded, as a browser does."""
    context = browser.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context
    context.close()


@pytest.fixture(scope="package")
def running(profile):
    """The page in which JupyterLab goes on."""
    return Running(profile)


@pytest.fixture
def page(profile):
    """A new page."""
    with profile.new_page() as page:
        page.set_viewport_size(VIEW)
        yield page


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Remember whether the test has failed, for the page it leaves behind."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def lab(server, running, request):
    """A page of JupyterLab and a folder of notebooks; fails where the console tells of errors."""
    folder = server.root / f"{request.module.__name__.rpartition('.')[2]}-{request.node.name}"
    folder.mkdir()
    page, runs = running.take()
    page.set_viewport_size(VIEW)
    lab = Lab(server, page, folder, runs=runs)
    yield lab
    errors = list(lab.errors)  # Without those of the kernel's end.
    running.give_back(lab.leave(), sound=not errors and not request.node.stash[FAILED])
    assert not errors
