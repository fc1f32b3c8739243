"""A real kernel to run cells on, as a front end does."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

from tests import warm

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Ran:
    """What a cell gave back; `displays` are those that are left, `seen` all that there were, with what they replaced."""

    ok: bool
    text: str = ""
    result: str = ""
    error: str = ""
    displays: list[dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """Everything one sees, as text."""
        plain = [bundle.get("text/plain", "") for bundle in self.displays]
        return "\n".join([self.text, *plain, self.result, self.error])


class Kernel:
    """One kernel; `run` runs a cell to its end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Kernel:
        self._process = self._begin({**os.environ, "IPYTHONDIR": str(self._folder / ".ipython")})
        self._manager = self._process.manager
        self._client = self._manager.client()
        self._client.start_channels()
        self._wait()
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()
        self._process.see_off()

    def leave(self) -> None:
        """Ask the kernel to end, and go on: the next test need not wait for that."""
        self._client.stop_channels()
        self._process.leave()

    def _begin(self, env: dict[str, str]) -> warm.Spare:
        return warm.kernel(self._folder, env)

    def _wait(self) -> None:
        """Wait until the kernel answers and is heard; `wait_for_ready` waits a fifth of a second longer, for silence."""
        while True:
            asked = self._client.kernel_info(reply=True, timeout=60)["parent_header"]["msg_id"]
            with contextlib.suppress(Empty):
                while not _is_end_of(asked, self._client.get_iopub_msg(timeout=0.2)):
                    pass
                return

    @property
    def pid(self) -> int:
        """Process id of the kernel."""
        return self._manager.provisioner.process.pid

    def kill(self) -> None:
        """Kill the kernel as the system does when memory runs out."""
        self._manager.signal_kernel(9)

    def run(self, code: str, timeout: float = 120, cell: str = "", typed: Sequence[str] = ()) -> Ran:
        """Run a cell; `cell` is its id, as JupyterLab sends it, and `typed` are the answers to what it asks."""
        ran = Ran(ok=True)
        shown: dict[str | None, int] = {}
        self._client.session.metadata = {"cellId": cell} if cell else {}

        def collect(message: dict[str, Any]) -> None:
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                ran.text += content["text"]
            elif kind == "display_data":
                shown[content["transient"].get("display_id")] = len(ran.displays)
                ran.displays.append(content["data"])
            elif kind == "update_display_data" and content["transient"]["display_id"] in shown:
                ran.displays[shown[content["transient"]["display_id"]]] = content["data"]
            if "display_data" in kind:
                ran.seen.append(content["data"])
            elif kind == "execute_result":
                ran.result = content["data"].get("text/plain", "")
                ran.displays.append({k: v for k, v in content["data"].items() if k != "text/plain"})
            elif kind == "error":
                ran.error = _COLOURS.sub("", "\n".join(content["traceback"]))

        answers = iter(typed)
        reply = self._client.execute_interactive(
            code,
            output_hook=collect,
            timeout=timeout,
            store_history=True,
            allow_stdin=bool(typed),
            stdin_hook=lambda message: self._client.input(next(answers)),
        )
        ran.ok = reply["content"]["status"] == "ok"
        return ran

    def value(self, expression: str) -> str:
        """Evaluate an expression; gives its repr."""
        ran = self.run(f"print(repr(({expression})), end='')")
        assert ran.ok, ran.error
        return ran.text

    def complete(self, code: str, at: int | None = None) -> list[str]:
        """Ask for completions at the end, or at a place in it."""
        reply = self._client.complete(code, at, reply=True, timeout=30)
        return list(reply["content"]["matches"])


def _is_end_of(asked: str, message: dict[str, Any]) -> bool:
    return message["parent_header"].get("msg_id") == asked and message["content"].get("execution_state") == "idle"


class FrontEnd:
    """Asks over comms in a subshell, as JupyterLab does."""

    def __init__(self, kernel):
        self._client = kernel._client
        session = self._client.session
        request = session.msg("create_subshell_request", {})
        self._client.control_channel.send(request)
        self._subshell = self._client.get_control_msg(timeout=20)["content"]["subshell_id"]

    def ask(self, question):
        """Ask, and give the answer."""
        content = {"comm_id": f"c{time.monotonic_ns()}", "target_name": "rms.control", "data": question}
        message = self._client.session.msg("comm_open", content)
        message["header"]["subshell_id"] = self._subshell
        self._client.shell_channel.send(message)
        while True:
            reply = self._client.get_iopub_msg(timeout=30)
            if reply["content"].get("comm_id") == content["comm_id"]:
                if reply["msg_type"] == "comm_close":
                    raise ConnectionRefusedError("nobody answers")
                return reply["content"]["data"]
