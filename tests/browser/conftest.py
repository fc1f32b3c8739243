"""A real JupyterLab and a real Chromium, started once for all tests here."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.lab import Lab
from tests.browser.server import Server

CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    """JupyterLab with the extension."""
    with Server(tmp_path_factory.mktemp("lab")) as server:
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


@pytest.fixture
def page(profile):
    """A page."""
    page = profile.new_page()
    page.set_viewport_size({"width": 1280, "height": 900})
    yield page
    for opened in profile.pages:
        opened.close()


@pytest.fixture
def lab(server, page, request):
    """A page of JupyterLab and a folder of notebooks; fails where the console tells of errors."""
    folder = server.root / f"{request.module.__name__.rpartition('.')[2]}-{request.node.name}"
    folder.mkdir()
    lab = Lab(server, page, folder)
    yield lab
    errors = list(lab.errors)  # Without those of the kernel's end.
    lab.page.evaluate("async () => await window.jupyterapp?.serviceManager.sessions.shutdownAll()")
    assert not errors
