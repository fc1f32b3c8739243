"""Which figures did calls make, and are those that they make saved?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.searching import add_limit, add_words
from rms_jupyter.errors import UsageError

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.gallery import Figures
    from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "figures",
        "List figures that calls returned or wrote, the latest first. `figures on [png svg pdf eps html json]` saves "
        "each figure that a call makes from now on, `figures off` ends that, `figures show` lists those that were "
        "saved.",
        example="heatmap",
    )
    add_words(parser)
    add_limit(parser)
    parser.takes(
        "--style",
        action="append",
        default=[],
        metavar="STYLE",
        help="save in this style, too: a name of matplotlib's or of the project's",
    )
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Figures | Report | str:
    """List them, or turn saving on or off."""
    from rms_jupyter.figures.formats import KNOWN

    match options.words:
        case ["on", *formats]:
            return _turn_on(session, options, formats)
        case [] if options.style:
            return _turn_on(session, options, [])
        case ["off"]:
            session.save_figures(False)
            return "figures of calls are not saved"
        case ["show"]:
            return session.saved_figures()
        case ["off" | "show" as verb, *others]:
            hint = f"%rms figures {verb}; or %rms figures on {' '.join(others)}"
            raise UsageError(f"%rms figures {verb} takes no more words, and there is {' '.join(others)!r}", hint=hint)
    found = session.figures(" ".join(options.words), limit=options.limit)
    if not found and options.words and set(options.words) <= {*KNOWN}:
        words = " ".join(options.words)
        session.note(f"no figure has {words} in its name; to save those of calls: %rms figures on {words}")
    return found


def _turn_on(session: Session, options: argparse.Namespace, formats: list[str]) -> str:
    from rms_jupyter.working_folder import in_short

    formats = formats or getattr(options, "figure_formats", [])
    chosen = options.style or getattr(options, "figure_styles", [])
    session.save_figures(_separate(formats) or True, _separate(chosen) or None)
    kinds, folder = ", ".join(session.figure_formats), in_short(str(session.path / "figures"))
    if styles := session.figure_styles:
        kinds += f", and in the style{'s' * (len(styles) > 1)} {', '.join(styles)}"
    return (
        f"figures of calls are saved as {kinds} in {folder} until this session ends; "
        "for all sessions: figures = true under [tool.rms_jupyter] in pyproject.toml, or RMS_FIGURES=on"
    )


def _separate(texts: list[str]) -> list[str]:
    return [name for text in texts for name in text.replace(",", " ").split()]
