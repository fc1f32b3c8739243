"""A page in which JupyterLab runs already: each test finds it as if it had just been loaded."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page

_TIDY = """async () => {
    const app = window.jupyterapp;
    if (!app) return false;
    await app.serviceManager.sessions.shutdownAll();
    // A tab that is shown when another closes, and is closed at once, makes JupyterLab's toolbar fail: hidden ones go first.
    for (const widget of [...app.shell.widgets("main")].sort((one, other) => one.isVisible - other.isVisible)) {
        if (widget.context) widget.context.model.dirty = false;
        widget.close();
    }
    const panel = document.getElementById("rms-jupyter-panel");
    return document.body.dataset.jpThemeLight === "true" && !panel?.checkVisibility();
}"""


class Running:
    """The page that goes on from one test to the next.

    Parameters
    ----------
    profile : BrowserContext
        Where pages are opened.
    """

    def __init__(self, profile: BrowserContext) -> None:
        self._profile = profile
        self._page: Page | None = None

    def take(self) -> tuple[Page, bool]:
        """Return a page, and whether JupyterLab runs in it."""
        page, self._page = self._page, None
        return (page, True) if page else (self._profile.new_page(), False)

    def give_back(self, page: Page, sound: bool) -> None:
        """End its kernels and close its notebooks; it is kept unless a test failed in it, or left something open."""
        if page.evaluate(_TIDY) and sound:
            self._page = page
        for opened in self._profile.pages:
            if opened is not self._page:
                opened.close()
