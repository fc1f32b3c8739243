"""How is a flow drawn in a cell?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import CellParser, Parser
from rms_jupyter.errors import RmsError

if TYPE_CHECKING:
    from rms_jupyter.flows.flow import Flow
    from rms_jupyter.session import Session


class FlowParser(CellParser):
    """Reads options in the first line, and the graph below it."""

    def read_line(self, line: str, namespace: Mapping[str, Any]) -> argparse.Namespace:
        """Read the options, and refuse a name that no variable can have."""
        options = super().read_line(line, namespace)
        if not options.name.isidentifier():
            self.error(f"{options.name!r} is not a name for a variable")
        return options


def parser() -> Parser:
    """Return how it is typed."""
    parser = FlowParser(
        "flow",
        "Draw a flow in DOT: its segments are pipes, functions or scripts, and NAME.run() runs them.",
        example="fft --code segments",
        signs=("%%rms",),
    )
    parser.takes("name", metavar="NAME", help="the variable that holds the flow, and what its outputs are called")
    parser.takes("--code", metavar="FOLDER", completes="path", help="where the scripts of segments are")
    parser.takes(
        "--multiplex",
        action="append",
        default=[],
        metavar="SEGMENT=HOW",
        help='which inputs come together: "melt=zip", "melt=group_by \'knights\'"',
    )
    return parser


def command(session: Session, options: argparse.Namespace, namespace: MutableMapping[str, Any]) -> Flow:
    """Make the flow, bind it to its name, and show it."""
    multiplex = dict(_pair(text) for text in options.multiplex)
    made = session.flow(options.below, options.code, name=options.name, multiplex=multiplex, namespace=namespace)
    namespace[options.name] = made
    return made


def _pair(text: str) -> tuple[str, str]:
    segment, equals, how = text.partition("=")
    if not equals:
        raise RmsError(f"--multiplex {text}: the segment is missing", hint='write --multiplex "melt=zip"')
    return segment.strip(), how
