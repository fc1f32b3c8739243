"""How does a flow begin?  With a folder in which everything is that it needs, to be changed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.errors import RmsError

_FLOW = '''\
"""Run it as a script (python {name}/flow.py), or track it: rms track {name}/flow.py, rms run."""

from pathlib import Path

import rms_jupyter as rms

here = Path(__file__).parent
flow = rms.current().flow((here / "flow.dot").read_text(), here / "segments", name="{name}")
flow.push(first=[1, 2, 3])  # Three tasks of first, each with one of these; three of second after them.
print(flow.run())
'''
_DOT = """\
// A segment runs once for each combination of what those before it give.
first -> second;
"""
_FIRST = """\
n = get_input()
logger.info("n is %s", n)
square = n**2
expose(["square"])  # Shown in the panel, and kept with the task.
set_output(square)
"""
_SECOND = """\
square = get_input("first")
with open(get_data_fn("result.txt"), "w") as file:
    file.write(f"{square}\\n")
set_output(square)
"""


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "new",
        "Make a folder with a flow of two segments, to begin with: its graph, their scripts, and what runs it.",
        example="spectra",
        signs=("%rms", "rms"),
        needs_session=False,
    )
    parser.takes("name", metavar="NAME", help="what the folder and the flow are called")
    return parser


def command(session: None, options: argparse.Namespace, namespace: Mapping[str, Any]) -> str:
    """Make it.

    Raises
    ------
    RmsError
        If the name is not valid, or something of that name is there.
    """
    name, folder = options.name, Path(options.name)
    if not name.isidentifier():
        raise RmsError(f"{name!r} is not a valid name of a flow", hint="letters, digits and underscores: spectra_2")
    try:
        (folder / "segments").mkdir(parents=True)
    except FileExistsError:
        raise RmsError(f"there is {name} already", hint="choose another name; nothing was changed") from None
    for place, text in (
        ("flow.py", _FLOW.format(name=name)),
        ("flow.dot", _DOT),
        ("segments/first.py", _FIRST),
        ("segments/second.py", _SECOND),
    ):
        (folder / place).write_text(text, encoding="utf-8")
    return f"{folder}/: flow.dot, segments/first.py, segments/second.py, and flow.py runs them: python {name}/flow.py"
