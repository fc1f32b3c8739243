"""How are pictures of plotly's drawn?  By kaleido's browser, in a process of its own, all of a figure at once.

To begin the browser takes longer than to draw; and kaleido changes how a process logs, and leaves threads in it.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

_CHILD = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from rms_jupyter.figures.browser import answer
answer()
"""


class ToDraw(NamedTuple):
    """A picture to draw: of a figure as JSON, in a format; what is None is as kaleido has it."""

    written: str
    format: str
    scale: float
    width: float | None
    height: float | None


def drawn(pictures: Iterable[ToDraw]) -> list[bytes | Exception]:
    """Draw pictures; what cannot be drawn is its error."""
    pictures = list(pictures)
    command = [sys.executable, "-P", "-c", _CHILD, json.dumps([*sys.path])]
    ended = subprocess.run(command, input=msgspec.json.encode(pictures), capture_output=True, check=False)
    try:
        told = msgspec.json.decode(ended.stdout.rpartition(b"\n")[2], type=list[tuple[bytes, str]])
    except msgspec.DecodeError:
        last = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return [RuntimeError(last or f"the browser ended with {ended.returncode}")] * len(pictures)
    return [RuntimeError(why) if why else data for data, why in told]


def answer() -> None:
    """Draw what is asked for on the standard input, in the child."""
    pictures = msgspec.json.decode(sys.stdin.buffer.read(), type=list[ToDraw])
    try:
        told = asyncio.run(_draw(pictures))
    except Exception as error:
        told = [(b"", _first_cause(error))] * len(pictures)
    sys.stdout.buffer.write(b"\n" + msgspec.json.encode(told))


async def _draw(pictures: list[ToDraw]) -> list[tuple[bytes, str]]:
    import kaleido

    if not hasattr(kaleido, "Kaleido"):
        raise RuntimeError("kaleido is of before 1.0")
    async with kaleido.Kaleido(n=1) as browser:
        return [await _draw_one(browser, picture) for picture in pictures]


async def _draw_one(browser: Any, picture: ToDraw) -> tuple[bytes, str]:
    written, *options = picture
    said = dict(zip(("format", "scale", "width", "height"), options, strict=True))
    try:
        return await browser.calc_fig(json.loads(written), opts=said), ""
    except Exception as error:
        return b"", _first_cause(error)


def _first_cause(error: BaseException) -> str:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return f"{type(error).__name__}: {error}"
