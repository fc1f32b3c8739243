"""What is ready before a test asks for it: the interpreter of the next kernel, and one that has pandas for scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from jupyter_client.manager import KernelManager

_SPARE, _ZYGOTE = (Path(__file__).with_name(name) for name in ("spare.py", "zygote.py"))
_OF_EACH_TEST = {"IPYTHONDIR", "JPY_SESSION_NAME", "PYTEST_CURRENT_TEST"}
_next: Spare | None = None
_ending: list[Spare] = []
_scripts: subprocess.Popen[str] | None = None


class Spare:
    """A kernel to be: its interpreter runs, and waits to be told where.

    Parameters
    ----------
    env : dict
        Environment of the process.
    """

    def __init__(self, env: dict[str, str]) -> None:
        self._env = _lasting(env)
        self._folder = tempfile.TemporaryDirectory(prefix="rms-kernel-")
        self.manager = KernelManager(kernel_name="python3", transport="ipc", ip=f"{self._folder.name}/k")
        python, *_, connection = self.manager.kernel_spec.argv
        self.manager.kernel_spec.argv = [python, str(_SPARE), "-f", connection]
        self.manager.start_kernel(cwd=self._folder.name, env=self._env, stdin=subprocess.PIPE)

    def fits(self, env: dict[str, str]) -> bool:
        """Whether a kernel that is started now would have the same environment."""
        return self._env == _lasting(env)

    def begin(self, folder: Path, env: dict[str, str]) -> None:
        """Become a kernel in a folder."""
        place = {"folder": str(folder), "env": {name: env[name] for name in _OF_EACH_TEST & env.keys()}}
        with self.manager.provisioner.process.stdin as told:
            told.write(json.dumps(place).encode())

    @property
    def lives(self) -> bool:
        """Whether the process has not ended."""
        return self.manager.provisioner.process.poll() is None

    def leave(self) -> None:
        """Ask the kernel to end."""
        if self.lives:
            self.manager.interrupt_kernel()
            self.manager.request_shutdown()
        _ending.append(self)

    def see_off(self) -> None:
        """Wait for its end."""
        _ending.remove(self)
        self.manager.finish_shutdown()
        self.manager.cleanup_resources()
        self._folder.cleanup()

    def kill(self) -> None:
        """End an interpreter that has not become a kernel."""
        self.manager.shutdown_kernel(now=True)
        self._folder.cleanup()


def kernel(folder: Path, env: dict[str, str]) -> Spare:
    """Begin a kernel, and start the interpreter of the next."""
    global _next
    for left in [left for left in _ending if not left.lives]:
        left.see_off()
    if _next is not None and not _next.fits(env):
        _next.kill()
        _next = None
    spare = _next or Spare(env)
    spare.begin(folder, env)
    _next = Spare(env)
    return spare


def run_script(code: str, *arguments: str, folder: str | Path = "/") -> subprocess.CompletedProcess[str]:
    """Run ``python -I -c code arguments``, where pandas is imported already."""
    global _scripts
    if _scripts is None:
        command = [sys.executable, "-I", str(_ZYGOTE), "pandas"]
        _scripts = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with tempfile.TemporaryDirectory() as told:
        out, err = Path(told, "out"), Path(told, "err")
        order = {"code": code, "arguments": arguments, "folder": str(folder), "env": dict(os.environ)}
        print(json.dumps({**order, "out": str(out), "err": str(err)}), file=_scripts.stdin, flush=True)
        status = int(_scripts.stdout.readline())
        return subprocess.CompletedProcess(arguments, status, out.read_text(), err.read_text())


def end() -> None:
    """End what no test asks for any more."""
    global _next, _scripts
    for left in list(_ending):
        left.see_off()
    if _next is not None:
        _next.kill()
    if _scripts is not None:
        with _scripts:
            _scripts.stdin.close()
    _next = _scripts = None


def _lasting(env: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in _OF_EACH_TEST}
