"""A notebook in JupyterLab, driven as a user does."""

from __future__ import annotations

import functools
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import ConsoleMessage, Error, FloatRect, Locator, Page

from tests.browser.server import REPOSITORY, Server

T = TypeVar("T")
PICTURES = REPOSITORY / "labextension" / "pictures"
AXE = REPOSITORY / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 60_000
# Seen without the extension: a kernel shut down while its debugger is asked; Notebook 7 reading its settings; a tab closed
# while a comm of any widget begins a subshell, whose promise JupyterLab leaves to itself.
JUPYTERS_OWN = (
    "Could not restore the debugger state",
    "Cannot read properties of undefined (reading 'schema')",
    "Canceled future for create_subshell_request message",
)
_OPEN = """async path => {
    const { commands, shell } = window.jupyterapp;
    await commands.execute("filebrowser:open-path", { path });
    for (const widget of [...shell.widgets("main")].filter(other => other !== shell.currentWidget)) {
        const begun = widget.sessionContext?.ready?.catch(() => null);  // JupyterLab minds if it ends before.
        await Promise.race([begun, new Promise(resolve => setTimeout(resolve, 5000))]);
        widget.close();
    }
}"""
_FAULTS = """async node => {
    try {
        return (await axe.run(node)).violations;
    } catch (error) {
        if (node.isConnected) throw error;
        return null;
    }
}"""
_PANEL = "const panel = window.jupyterapp.shell.currentWidget;"


class Lab:
    """One page on a server.

    Attributes
    ----------
    page : Page
    folder : Path
        Where the notebooks are; their kernels work in it.
    view : str
        Where the server shows notebooks: ``notebooks`` in the Notebook.
    runs : bool
        Whether JupyterLab runs in the page: the first notebook is opened there, and the page is not loaded.
    errors : list of str
        What the console has said was wrong; a test whose page has any fails.
    """

    def __init__(self, server: Server, page: Page, folder: Path, view: str = "lab/tree", runs: bool = False) -> None:
        self._server, self.folder, self._view, self._runs = server, folder, view, runs
        self.errors: list[str] = []
        self._take(page)

    def _take(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(PATIENCE)
        page.on("console", self._heard)
        page.on("pageerror", self._raised)

    def leave(self) -> Page:
        """Hear no more of the page, and return it."""
        self.page.remove_listener("console", self._heard)
        self.page.remove_listener("pageerror", self._raised)
        return self.page

    def close_tab(self) -> None:
        """Close the tab, and go on in a new one; the kernel goes on, too."""
        closed = self.leave()
        self._take(closed.context.new_page())
        closed.close()

    def stay(self) -> None:
        """Open the next notebook in the page as it is."""
        self._runs = True

    def write(self, *cells: str, name: str = "work.ipynb") -> Path:
        """Write a notebook of code cells."""
        path = self.folder / name
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=metadata)
        nbformat.write(notebook, path)
        return path

    def open(self, *cells: str, name: str = "work.ipynb", kernel: bool = True) -> None:
        """Load the page with a notebook, written first if cells are given, and wait for its kernel."""
        if cells:
            self.write(*cells, name=name)
        path = (self.folder / name).relative_to(self._server.root)
        if self._runs:
            self.page.evaluate(_OPEN, str(path))
            self._runs = False
        else:
            self.page.goto(f"{self._server.url}/{self._view}/{path}?reset")
        self.page.wait_for_function("window.jupyterapp?.shell.currentWidget?.content?.widgets?.length > 0")
        self.page.evaluate(f"async () => {{ {_PANEL} await panel.context.ready; await panel.revealed }}")
        if kernel:
            self.page.evaluate(
                f"async () => {{ {_PANEL} await panel.sessionContext.ready; "
                "await panel.sessionContext.session.kernel.info }"
            )

    def run(self, *indices: int, wait: bool = True) -> None:
        """Run cells, the first is 0, each to its end unless told not to wait."""
        for index in indices:
            before = self._count()
            self.command("notebook:run-cell", index)
            if wait:
                self.ended(index, before)

    def ended(self, index: int, before: int = 0) -> None:
        """Wait until a cell has ended, and has a higher number than one before it."""
        self.page.wait_for_function(
            f"([index, before]) => {{ {_PANEL} return panel.content.widgets[index].model.executionCount > before }}",
            arg=[index, before],
        )

    def command(self, name: str, index: int | None = None, **arguments: Any) -> None:
        """Run one of JupyterLab's commands, on a cell if one is given; does not wait for its end."""
        self.page.evaluate(
            f"([name, index, args]) => {{ {_PANEL} if (index !== null) {{ panel.content.activeCellIndex = index; "
            "panel.content.deselectAll() } void window.jupyterapp.commands.execute(name, args) }",
            [name, index, arguments],
        )

    def cell(self, index: int) -> Locator:
        """A cell of the notebook that is in front."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """What a cell shows."""
        return self.cell(index).locator(".jp-Cell-outputWrapper")

    def save(self) -> None:
        """Save the notebook."""
        self.page.evaluate(f"async () => {{ {_PANEL} await panel.context.save() }}")

    def theme(self, name: str) -> None:
        """Change the theme: ``light`` or ``dark``."""
        self.command("apputils:change-theme", theme=f"JupyterLab {name.title()}")
        self.page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light && !document.getElementById('jupyterlab-splash')",
            arg=str(name == "light").lower(),
        )

    def picture(self, name: str, of: Locator | None = None) -> Path:
        """Take a screenshot; it is kept in `labextension/pictures` where ``RMS_PICTURES`` is set."""
        path = (PICTURES if os.environ.get("RMS_PICTURES") else self.folder) / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        self._attached(lambda: (of or self.page).screenshot(path=path))
        return path

    def scroll_to(self, node: Locator) -> None:
        """Scroll a part of the page into view."""
        self._attached(node.scroll_into_view_if_needed)

    def faults(self, node: Locator) -> list[str]:
        """What axe-core finds wrong with a part of the page."""
        if not self.page.evaluate("'axe' in window"):
            self.page.add_script_tag(path=AXE)
        found = self.got(lambda: node.evaluate(_FAULTS), "the node stays while axe-core looks at it")
        return [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found]

    def place(self, node: Locator) -> FloatRect:
        """Where a part of the page is, once it is in view."""
        return self.got(node.bounding_box, "the node is drawn")

    def copied(self, like: str) -> str:
        """What is in the clipboard, once it matches a pattern."""
        read = functools.partial(self.page.evaluate, "navigator.clipboard.readText()")
        return self.got(lambda: (text := read()) and re.search(like, text) and text, f"{like} was copied")

    def edit_mode(self, index: int) -> None:
        """Go into a cell to type there."""
        self.command("notebook:enter-edit-mode", index)
        self.page.wait_for_function(
            f"index => {{ {_PANEL} return panel.content.widgets[index].editor?.hasFocus() }}", arg=index
        )

    def until(self, true: Callable[[], object], what: str) -> None:
        """Wait until something is true."""
        self.got(lambda: true() or None, what)

    def got(self, ask: Callable[[], T | None], what: str) -> T:
        """Ask until there is an answer."""
        give_up = time.monotonic() + PATIENCE / 1000
        while (answer := ask()) is None:
            assert time.monotonic() < give_up, f"never came true: {what}"
            self.page.wait_for_timeout(100)
        return answer

    def _attached(self, act: Callable[[], object]) -> None:
        """Do a thing to a node, again if the page puts another in its place meanwhile, as it does with saved outputs."""

        def done() -> bool:
            try:
                act()
            except Error as error:
                if "not attached" not in error.message:
                    raise
                return False
            return True

        self.until(done, "the node stays where it is")

    def _count(self) -> int:
        return self.page.evaluate(
            f"() => {{ {_PANEL} return Math.max(0, ...panel.content.widgets.map(cell => cell.model.executionCount ?? 0)) }}"
        )

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(f"{message.text} ({message.location['url']})")

    def _raised(self, error: Error) -> None:
        self._note(error.stack or str(error))

    def _note(self, error: str) -> None:
        if not any(own in error for own in JUPYTERS_OWN):
            self.errors.append(error)
