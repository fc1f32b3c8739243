"""How does a shell complete what is typed behind ``rms``?"""

from __future__ import annotations

from rms_jupyter.commands.parser import Parser


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "completion",
        "Write what a shell needs to complete verbs, options and paths with Tab: source <(rms completion bash)",
        example="zsh > ~/.zfunc/_rms",
        signs=("rms",),
        needs_session=False,
    )
    parser.takes("shell", choices=("bash", "zsh", "fish"), help="the shell")
    return parser
