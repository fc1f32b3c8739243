"""A Jupyter server of the tests' own: fresh settings, no token, and the extension as it was last built."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
BUILT = REPOSITORY / "rms_jupyter" / "labextension"
QUIET = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/extensionmanager-extension/plugin": {"enabled": False},
    "@jupyterlab/completer-extension/manager": {"providerTimeout": 30_000},  # On a busy machine, a second is too short.
}


class Server:
    """JupyterLab (or the Notebook) on a port of its own; notebooks are in `root`.

    Parameters
    ----------
    folder : Path
        For all that the server writes.
    app : str
        The module that is run: ``jupyterlab`` or ``notebook``.
    """

    def __init__(self, folder: Path, app: str = "jupyterlab") -> None:
        self.root = folder / "root"
        self._folder, self._app = folder, app

    def __enter__(self) -> Server:
        self.root.mkdir(parents=True)
        self._install()
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        options = {
            "ServerApp.port": port,
            "ServerApp.root_dir": self.root,
            "ServerApp.allow_root": True,
            "ServerApp.open_browser": False,
            "IdentityProvider.token": "",
            "LabApp.expose_app_in_browser": True,
            "JupyterNotebookApp.expose_app_in_browser": True,
        }
        command = [sys.executable, "-m", self._app, *(f"--{name}={value}" for name, value in options.items())]
        self._log = (self._folder / "server.log").open("wb")
        self._process = subprocess.Popen(
            command, env=self._environment(), cwd=self.root, stdout=self._log, stderr=subprocess.STDOUT
        )
        self._wait()
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _install(self) -> None:
        if not (BUILT / "package.json").exists():
            raise RuntimeError("the extension is not built: make test, or npm ci && npm run build in labextension/")
        extensions = self._folder / "jupyter" / "labextensions"
        extensions.mkdir(parents=True)
        (extensions / "rms-jupyter").symlink_to(BUILT)
        for plugin, values in QUIET.items():
            settings = self._folder / "settings" / f"{plugin}.jupyterlab-settings"
            settings.parent.mkdir(parents=True, exist_ok=True)
            settings.write_text(json.dumps(values))

    def _environment(self) -> dict[str, str]:
        own = {
            "JUPYTER_PATH": "jupyter",
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        paths = {name: str(self._folder / folder) for name, folder in own.items()}
        return {**os.environ, **paths, "PYTHONPATH": str(REPOSITORY)}

    def _wait(self) -> None:
        give_up = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/api", timeout=5).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > give_up:
                    raise RuntimeError((self._folder / "server.log").read_text()) from None
                time.sleep(0.1)
