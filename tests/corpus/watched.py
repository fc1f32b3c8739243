"""What does a front end show of a cell?"""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import warm
from tests.kernel import Kernel

Output = dict[str, Any]
_REMARK = '<div style="color:var(--jp-ui-font-color2'


@dataclass
class Shown:
    """The outputs of a cell as a front end holds them in the end, and apart from them what rms remarks."""

    outputs: list[Output] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class KernelDied(Exception):
    """The kernel is gone, or does not answer."""


class WatchedKernel(Kernel):
    """A kernel whose outputs are put together as a front end does: later cells may update what earlier ones display.

    Parameters
    ----------
    folder : Path
        Where it works.
    env : dict
        Variables of its environment beside those of this process.
    """

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        super().__init__(folder)
        self._env = env

    def _begin(self, env: dict[str, str]) -> warm.Spare:
        spare = warm.Spare({**env, **self._env})
        spare.begin(self._folder, {**env, **self._env})
        return spare

    def __enter__(self) -> WatchedKernel:
        super().__enter__()
        self._displays: dict[str, list[Output]] = {}
        return self

    def show(self, code: str, cell: str = "", counted: bool = True, timeout: float = 120) -> Shown:
        """Run a cell to its end and collect what it shows.

        Parameters
        ----------
        code, cell : str
            The cell and its id.
        counted : bool
            Whether it counts as a cell of the notebook.
        timeout : float
            After so many seconds the kernel is taken for dead.
        """
        self._client.session.metadata = {"cellId": cell} if cell else {}
        request = self._client.execute(code, silent=not counted, store_history=counted, allow_stdin=False)
        shown, cleared, deadline = Shown(), False, time.monotonic() + timeout
        while True:
            message = self._next_message(deadline)
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return shown
            if kind == "clear_output":
                cleared = True
                if not content["wait"]:
                    shown.outputs.clear()
            elif kind in ("stream", "display_data", "execute_result", "update_display_data", "error"):
                if cleared:
                    shown.outputs.clear()
                cleared = False
                self._take_in(kind, content, shown)

    def _next_message(self, deadline: float) -> dict[str, Any]:
        while True:
            try:
                return self._client.get_iopub_msg(timeout=0.5)
            except queue.Empty:
                if not self._manager.is_alive():
                    raise KernelDied("the kernel died") from None
                if time.monotonic() > deadline:
                    raise KernelDied("the kernel does not answer") from None

    def _take_in(self, kind: str, content: dict[str, Any], shown: Shown) -> None:
        if kind == "stream":
            _add_text(shown.outputs, content["name"], content["text"])
        elif kind == "error":
            shown.outputs.append({"kind": "error", "name": content["ename"], "text": content["evalue"]})
        elif kind == "update_display_data":
            for output in self._displays.get(content["transient"]["display_id"], []):
                output["data"] = content["data"]
        elif kind == "display_data" and _is_remark(content["data"]):
            shown.remarks.append(content["data"]["text/plain"])
        else:
            output = {"kind": kind, "data": content["data"]}
            shown.outputs.append(output)
            if display_id := content.get("transient", {}).get("display_id"):
                self._displays.setdefault(display_id, []).append(output)


def _add_text(outputs: list[Output], name: str, text: str) -> None:
    """Add text to that printed since the last display; the streams reach a front end in no order of their own."""
    for output in reversed(outputs):
        if output["kind"] != "stream":
            break
        if output["name"] == name:
            output["text"] += text
            return
    outputs.append({"kind": "stream", "name": name, "text": text})
    if len(outputs) > 1 and outputs[-2]["kind"] == "stream":
        outputs[-2:] = sorted(outputs[-2:], key=lambda output: output["name"])


def _is_remark(data: dict[str, Any]) -> bool:
    html = data.get("text/html", "")
    return html.startswith(_REMARK) and html.count("<div") == 1 and html.endswith("</div>")
