"""How is the line of a verb read, and what does its parser say of it: usage, help, what can follow?"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal, NoReturn

from rms_jupyter.errors import RmsError, UsageError

Kind = Literal["what", "pipe", "path"]
Sign = Literal["%rms", "%%rms", "rms"]

ITEM = r"""\[(?:[^\[\]"']|"[^"]*"|'[^']*')+\]"""  # ``[17]``, ``['a', 0.1]``

_HELP_WIDTH = 78
_MOST_IN_USAGE = 7


class Parser(argparse.ArgumentParser):
    """Reads the line of a verb.

    Parameters
    ----------
    verb : str
        As it is typed; '' for ``%%rms`` alone.
    description : str
        What it does, in one or two sentences.
    example : str
        What can be typed behind the verb.
    signs : sequence of str
        What it is typed behind: ``%rms`` in a line of a notebook, ``%%rms`` in the first line of a cell, ``rms`` in a
        terminal.
    needs_session : bool
        Whether a store must be open.

    Examples
    --------
    >>> parser = Parser("diff", "Show what differs between two results.", example="before after")
    >>> _ = parser.takes("a", metavar="A")
    >>> _ = parser.takes("b", metavar="B")
    >>> parser.usage_line()
    '%rms diff A B'
    >>> parser.read_line("'my file' {other}", {"other": "bam"})
    Namespace(a='my file', b='bam')
    """

    def __init__(
        self,
        verb: str,
        description: str,
        *,
        example: str = "",
        signs: Sequence[Sign] = ("%rms", "rms"),
        needs_session: bool = True,
    ) -> None:
        super().__init__(
            prog=f"{signs[0]} {verb}".strip(),
            description=description,
            epilog=f"For example: %(prog)s {example}".rstrip(),
            formatter_class=_Formatter,
            add_help=False,
            allow_abbrev=False,
        )
        self.color = False  # Of Python 3.14: the text goes into notebooks, too.
        self.verb, self.signs = verb, tuple(signs)
        self.needs_session = needs_session
        self._kinds: dict[str, Kind] = {}
        self._only_in_notebooks: list[argparse.Action] = []
        self._required: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """What it does."""
        return self.description or ""

    def takes(
        self, *names: str, completes: Kind | None = None, only_in_notebooks: bool = False, **options: Any
    ) -> argparse.Action:
        """Add an argument.

        Parameters
        ----------
        *names, **options
            As those of `argparse.ArgumentParser.add_argument`.
        completes : str, optional
            What can be completed: ``what`` (variables, pipes and files), ``pipe`` or ``path``.
        only_in_notebooks : bool
            Whether it makes no sense in a terminal.
        """
        action = self.add_argument(*names, **options)
        if completes is not None:
            self._kinds[action.dest] = completes
        if only_in_notebooks:
            self._only_in_notebooks.append(action)
        return action

    def flag(self, *names: str, help: str) -> None:
        """Add an option that is given or not."""
        self.takes(*names, action="store_true", help=help)

    def requires(self, *names: str) -> None:
        """Refuse a line that has none of these options."""
        self._required = names

    def typed_behind(self, sign: Sign) -> None:
        """Speak of the verb as it is typed behind one of its signs."""
        self.prog = f"{sign} {self.verb}".strip()
        for action in self._only_in_notebooks if sign == "rms" else ():
            action.help = argparse.SUPPRESS

    def usage_line(self) -> str:
        """Return how it is typed, in one line; many options are written as one word."""
        own = self.usage
        self.usage = None
        found = " ".join(self.format_usage().removeprefix("usage: ").split())
        self.usage = own
        return found

    def short_usage(self) -> str:
        """Return the usage line for a list: many options are one word."""
        named = [action for action in self._shown() if action.option_strings]
        if len(named) <= _MOST_IN_USAGE:
            return self.usage_line()
        line = Parser(self.verb, "", signs=self.signs)
        line.prog = self.prog
        for action in self._shown():
            if not action.option_strings:
                line.takes(action.dest, nargs=action.nargs, metavar=action.metavar)
        return f"{line.usage_line()} [OPTIONS]"

    def help_text(self) -> str:
        """Return all that there is to say: usage, what it does, each argument, an example."""
        self.usage = _escaped(self.usage_line())
        return self.format_help()

    def asks_for_help(self, line: str | Sequence[str]) -> bool:
        """Whether a line, or its words, ask what the verb does instead of doing it."""
        words = line.split() if isinstance(line, str) else list(line)
        return any(word in ("-h", "--help") for word in (words[: words.index("--")] if "--" in words else words))

    def read_line(self, line: str, namespace: Mapping[str, Any]) -> argparse.Namespace:
        """Read what follows the verb; ``{name}`` stands for a variable of the notebook.

        Raises
        ------
        UsageError
            If the line does not fit.
        RmsError
            If a variable is unknown.
        """
        try:
            words = shlex.split(_with_items_whole(line))
        except ValueError as error:
            raise UsageError(f"{self.prog}: {error}", hint="close the quotes") from None
        return self.read([expand(word, namespace) for word in words])

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Read the words that follow the verb.

        Raises
        ------
        UsageError
            If they do not fit.
        """
        self.usage = _escaped(self.usage_line())  # The parsing of mixed words takes a usage for a template.
        # Mixed words lose a `--`, and what stands behind it would be an option.
        options = (self.parse_args if "--" in words else self.parse_intermixed_args)(list(words))
        for action in self._only_in_notebooks:
            if action.help == argparse.SUPPRESS and getattr(options, action.dest) != action.default:
                self.error(f"{(*action.option_strings, action.dest)[0]} is for notebooks")
        if self._required and not any(getattr(options, name.lstrip("-")) for name in self._required):
            self.error(f"one of {', '.join(self._required)} is needed")
        return options

    def error(self, message: str) -> NoReturn:
        """Refuse a line."""
        if missing := _behind("the following arguments are required: ", message):
            message = f"{missing} {'are' if ',' in missing else 'is'} missing"
        unknown = _behind("unrecognized arguments: ", message).split()
        if near := [close for word in unknown for close in get_close_matches(word, self.options(), 1)]:
            message = f"{message}; did you mean {' '.join(near)}?"
        usage = self.usage.replace("%%", "%") if self.usage else self.usage_line()  # While it reads, it is not whole.
        raise UsageError(f"{self.prog}: {message}", hint=f"usage: {usage}")

    def options(self) -> list[str]:
        """List all options."""
        return [text for action in self._shown() for text in action.option_strings]

    def follows(self, words: Sequence[str]) -> Iterator[Kind | tuple[str, ...]]:
        """Yield what can follow the words of a line: kinds of names, and words that can be chosen from.

        Parameters
        ----------
        words : sequence of str
            Those that are complete.
        """
        last = next((action for action in self._shown() if words and words[-1] in action.option_strings), None)
        takes_a_word = last is not None and last.nargs != 0
        for action in [last] if takes_a_word and last is not None else self._shown():
            if action.choices is not None and (takes_a_word or not action.option_strings):
                yield tuple(action.choices)
            elif action.dest in self._kinds and (takes_a_word or not action.option_strings):
                yield self._kinds[action.dest]

    def places_of_paths(self) -> list[argparse.Action]:
        """List the arguments that can be files."""
        return [action for action in self._shown() if self._kinds.get(action.dest) in ("path", "what")]

    def _shown(self) -> list[argparse.Action]:
        return [action for action in self._actions if action.help != argparse.SUPPRESS]


class CellParser(Parser):
    """Reads options in the first line, and takes the cell below it, as it is typed, as ``options.below``."""

    def asks_for_help(self, line: str | Sequence[str]) -> bool:
        """Whether help is asked for in the first line."""
        return super().asks_for_help(line.partition("\n")[0] if isinstance(line, str) else line)

    def read_line(self, line: str, namespace: Mapping[str, Any]) -> argparse.Namespace:
        """Read the options, and what is below them."""
        first, _, below = line.partition("\n")
        options = super().read_line(first, namespace)
        options.below = below
        return options


class _Formatter(argparse.HelpFormatter):
    """Writes usage in one line, and ``WHAT...`` for one or several."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=_HELP_WIDTH)

    def _format_usage(self, *what: Any) -> str:
        self._width, width = 10_000, self._width
        try:
            return super()._format_usage(*what)
        finally:
            self._width = width

    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        [name] = self._metavar_formatter(action, default_metavar)(1)
        if action.nargs in ("*", "+"):
            return f"[{name}...]" if action.nargs == "*" else f"{name}..."
        return super()._format_args(action, default_metavar)


def _with_items_whole(line: str) -> str:
    """Return a line in which items of variables, ``fits["ridge", 0.1]``, are quoted: each is one word."""

    def quoted(found: re.Match[str]) -> str:
        try:
            shlex.split(line[: found.start()])
        except ValueError:  # It is within quotes.
            return found[0]
        return shlex.quote(found[0])

    return re.sub(rf"(?<!\S)[^\W\d]\w*(?:{ITEM})+(?!\S)", quoted, line)


def _behind(beginning: str, text: str) -> str:
    """Return what follows a text's beginning; nothing if it begins otherwise."""
    return text.removeprefix(beginning) if text.startswith(beginning) else ""


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def in_terminal(text: str) -> str:
    """Return text with verbs as they are typed in a terminal.

    Examples
    --------
    >>> in_terminal("search: %rms tasks WORDS")
    'search: rms tasks WORDS'
    """
    return re.sub(r"%%?rms\b", "rms", text)


def expand(word: str, namespace: Mapping[str, Any]) -> str:
    """Put the values of variables in place of ``{name}``.

    Examples
    --------
    >>> expand("out/{sample}.bam", {"sample": "s_1"})
    'out/s_1.bam'
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in namespace:
            raise RmsError(f"{{{name}}}: there is no variable {name}", hint="define it, or write the value itself")
        return str(namespace[name])

    return re.sub(r"\{([A-Za-z_]\w*)\}", value, word)
