"""JupyterLab in Chromium, to be measured."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.browser.lab import Lab
from tests.browser.server import Server


@contextmanager
def jupyterlab() -> Iterator[Lab]:
    """Give a page of JupyterLab that works in the benchmark's folder."""
    with Server(Path(os.environ["BENCH"])) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        yield Lab(server, page, server.root)
        browser.close()
