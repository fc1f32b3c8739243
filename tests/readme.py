"""Does the README list the commands as their parsers do?  ``python -m tests.readme`` writes them into it."""

from __future__ import annotations

from pathlib import Path

from rms_jupyter.commands.listing import markdown

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- commands, written by `make commands` -->\n", "<!-- end of commands -->\n"


def with_commands(text: str) -> str:
    """Return the text of the README with the table as it should be."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{markdown()}\n\n{END}{after}"


if __name__ == "__main__":
    README.write_text(with_commands(README.read_text()))
