"""What stays of a run in the saved notebook, without kernel and widget?  Plain text, and HTML that runs nothing."""

from __future__ import annotations

import time
from html import escape

import msgspec

from rms_jupyter.handles.plan import Plan
from rms_jupyter.harmless import cut
from rms_jupyter.naming import short_id
from rms_jupyter.panel.running import LONGEST_DIFF, FailedCall, PipeCounts, RunState, closing, state_of
from rms_jupyter.views.display import GREY, Bundle, caption_line

MIME_TYPE = "application/vnd.rms.run.v1+json"
GOING = "application/vnd.rms.going.v1+json"
_COLOURS = {"hit": "#3b6fd4", "done": "#1a7f4b", "running": "#b26a00", "failed": "#c62f2f"}
_LINE = "var(--jp-border-color2,#d9dce0)"


def beginning(plan: Plan) -> Bundle:
    """Say that a run has begun; this is what stays where the kernel dies, or the notebook is saved before the end."""
    snapshot = plan.snapshot()
    count = f"{len(plan):,} task{'s' * (len(plan) != 1)}"
    began = time.strftime("%H:%M", time.localtime(time.time() - (snapshot.elapsed if snapshot else 0)))
    line = caption_line(f"{plan.name} · {count} · begun {began} · how it ended: %rms runs")
    told = foretold(plan)
    return {kind: told[kind] + "\n" * (kind == "text/plain") + line[kind] for kind in line} if told else line


def foretold(plan: Plan) -> Bundle:
    """Say what is to be known before the run, with what was changed; nothing where there is nothing."""
    snapshot = plan.snapshot()
    if snapshot is None or not snapshot.headline:
        return {}
    bundle = caption_line(f"rms: {snapshot.headline}")
    if snapshot.diff:
        diff = f"<pre>{escape(cut(snapshot.diff, LONGEST_DIFF))}</pre>"
        bundle["text/html"] += f'<details style="{GREY}"><summary>what was changed</summary>{diff}</details>'
    return bundle


def ending(plan: Plan, store: str) -> Bundle:
    """Say what a run came to; JupyterLab with our extension draws `MIME_TYPE`, others the HTML or the text."""
    state, snapshot = state_of(plan, store), plan.snapshot()
    if snapshot is None:
        return caption_line(f"{plan.name} did not begin")
    told = foretold(plan)
    lines = [*filter(None, [told.get("text/plain")]), closing(plan.name, snapshot), *_failures(state)]
    html = told.get("text/html", "") + _html(state)
    return {MIME_TYPE: msgspec.to_builtins(state), "text/html": html, "text/plain": "\n".join(lines)}


def _html(state: RunState) -> str:
    rows = "".join(map(_row, state.pipes)) + _more(state.more)
    failures = "".join(map(_failure, state.failures)) + _others(state)
    return (
        f'<div style="border:1px solid {_LINE};border-radius:6px;padding:8px 10px">'
        f'<div><b>{escape(state.name)}</b> <span style="{GREY}">{escape(state.title)}</span></div>'
        f'<table style="width:100%">{rows}</table>{failures}</div>'
    )


def _row(pipe: PipeCounts) -> str:
    counts = pipe.parts().items()
    widths = [(100 * count / pipe.total, _COLOURS[part]) for part, count in counts if part in _COLOURS]
    bar = "".join(
        f'<div style="float:left;height:6px;width:{width:.2f}%;background:{colour}"></div>' for width, colour in widths
    )
    words = " · ".join(f"{count:,} {part}" for part, count in counts)
    return (
        f'<tr><td style="text-align:left;white-space:nowrap"><code>{escape(pipe.name)}</code></td>'
        f'<td style="width:45%"><div style="height:6px;background:{_LINE}">{bar}</div></td>'
        f'<td style="text-align:right">{words}</td></tr>'
    )


def _more(pipes: int) -> str:
    return f'<tr><td style="text-align:left" colspan="3">and {pipes:,} more pipes</td></tr>' if pipes else ""


def _failure(failure: FailedCall) -> str:
    commands = f' <span style="{GREY}">{" · ".join(_commands_of(failure))}</span>' if failure.task else ""
    return f"<div>■ <code>{escape(failure.call)}</code> {escape(failure.error)}{commands}</div>"


def _others(state: RunState) -> str:
    return f'<div style="{GREY}">{_and_more(state)}</div>' if state.failed > len(state.failures) else ""


def _and_more(state: RunState) -> str:
    return f"and {state.failed - len(state.failures):,} more: %rms logs --failed"


def _failures(state: RunState) -> list[str]:
    """A line for each failure after the first, which stands above; and how to see more of the first."""
    lines = [f"{failure.call} {failure.error}" for failure in state.failures[1:]]
    lines += [_and_more(state)] if state.failed > len(state.failures) else []
    first = next((failure for failure in state.failures if failure.task), None)
    return [*lines, *([" · ".join(_commands_of(first))] if first else [])]


def _commands_of(failure: FailedCall) -> list[str]:
    task = short_id(int(failure.task))
    return [f"%rms logs {task}", f"%rms rerun {task} --debug"]
