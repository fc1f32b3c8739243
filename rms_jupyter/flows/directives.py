"""What do the comments of a segment say: ``#multiplex …``, ``#depend …``?"""

from __future__ import annotations

import io
import re
import textwrap
import tokenize
from collections.abc import Iterator


def directives(source: str, word: str) -> list[str]:
    r"""Return what follows a word in each comment that stands on a line of its own and begins with it.

    Examples
    --------
    >>> directives("x = '''\n#depend a.csv'''\n# depend b.csv, c.csv", "depend")
    [' b.csv, c.csv']
    """
    is_one = re.compile(rf"#\s*{word}\b(.*)")
    return [found[1] for comment in _comments(source) if (found := is_one.match(comment))]


def _comments(source: str) -> Iterator[str]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(textwrap.dedent(source)).readline):
            if token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip():
                yield token.string
    except (tokenize.TokenError, SyntaxError):  # The source of a lambda may be a part of a statement.
        return
