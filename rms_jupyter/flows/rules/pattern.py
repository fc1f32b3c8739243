r"""Which files does a pattern mean, and what do their names say?

``raw/{run}_{n:03d}.tif`` is read both ways: `Pattern.parse` reads ``raw/a_007.tif`` as ``run="a", n=7``, and
`Pattern.fill` writes it. A ``{name}`` is text within one part of a path; ``{n:d}``, ``{n:03d}``, ``{x:.2f}`` are
numbers, written as Python formats them. ``*`` and ``?`` stand for anything within one part, ``**`` for any folders, a
backslash before one of these signs for the sign itself. As in a shell, none of them begins a part with a dot: files
that are being copied have such names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rms_jupyter.errors import RmsError

_TOKEN = re.compile(
    r"\\(?P<escaped>.)|\{(?P<name>[A-Za-z_]\w*)(?::(?P<spec>[^{}/]*))?\}|(?P<wild>\*\*/|\*\*|\*|\?)|(?P<odd>[{}])",
    re.DOTALL,
)
_SIGNS = re.compile(r"[\\{}*?]")
_NUMBER = re.compile(r"(0?)(\d*)(?:(d)|\.(\d+)(f))")
_HIDDEN = r"(?!\.)"


class Field(NamedTuple):
    """A ``{name:spec}`` of a pattern; `regex` matches its text, `kind` is the type of its value."""

    name: str
    spec: str
    regex: str
    kind: type


class Pattern:
    """A path with wildcards that have names.

    Parameters
    ----------
    text : str
    folder : str
        Where a relative pattern begins; the working directory by default.

    Attributes
    ----------
    names : list of str
        Of its wildcards, in order.
    root : str
        The deepest folder in which all files that it means are.

    Raises
    ------
    RmsError
        If it cannot be read; the message says where.

    Examples
    --------
    >>> frames = Pattern("/raw/{run}_{n:03d}.tif")
    >>> frames.parse("/raw/night_007.tif")
    {'run': 'night', 'n': 7}
    >>> frames.fill({"run": "night", "n": 8})
    '/raw/night_008.tif'
    >>> frames.root
    '/raw'
    """

    def __init__(self, text: str, folder: str = "") -> None:
        self.text = text
        whole = os.path.join(escape(folder or os.getcwd()), _from_home(text))
        self._tokens = list(_tokens(os.path.normpath(whole)))
        fields = {token.name: token for token in self._tokens if isinstance(token, Field)}
        for token in self._tokens:
            if isinstance(token, Field) and token != fields[token.name]:
                raise RmsError(f"the pattern {text!r} has {{{token.name}}} in two formats", hint="write both alike")
        for one, two in zip(self._tokens, self._tokens[1:], strict=False):
            if isinstance(one, Field) and isinstance(two, Field):
                raise RmsError(
                    f"in the pattern {text!r} nothing parts {{{one.name}}} from {{{two.name}}}",
                    hint="put a sign between them",
                )
        self._fields, self.names = fields, list(fields)
        self._regex = re.compile("".join(self._parts()), re.DOTALL)
        self.root = os.path.dirname(self._fixed_beginning()) or "/"

    def parse(self, path: str) -> dict[str, Any] | None:
        """Read the values of the wildcards from an absolute path; None if the pattern does not mean it."""
        match = self._regex.fullmatch(path)
        if match is None:
            return None
        values = {name: field.kind(match[name]) for name, field in self._fields.items()}
        is_written_so = all(format(values[name], field.spec) == match[name] for name, field in self._fields.items())
        return values if is_written_so else None

    def fill(self, values: Mapping[str, Any]) -> str:
        """Write the path that has these values.

        Raises
        ------
        RmsError
            If a value is missing, or no pattern could read it back.
        """
        return "".join(token if isinstance(token, str) else self._written(token, values) for token in self._tokens)

    def kind_of(self, name: str) -> type:
        """The type of a wildcard's values."""
        return self._fields[name].kind

    def sample(self, values: Mapping[str, Any]) -> str:
        """Write a path that the pattern means, with something for wildcards without a name."""
        return "".join(
            token
            if isinstance(token, str)
            else token.sample
            if isinstance(token, Wild)
            else self._written(token, values)
            for token in self._tokens
        )

    @property
    def depth(self) -> int | None:
        """How many folders below its root its files can be; None for any number."""
        if any(isinstance(token, Wild) and token.text.startswith("**") for token in self._tokens):
            return None
        literals = [token for token in self._tokens if isinstance(token, str)]
        return "".join(literals).count("/") - self.root.rstrip("/").count("/") - 1

    @property
    def is_one_to_one(self) -> bool:
        """Whether it has no wildcards without a name, so that values make a path."""
        return all(isinstance(token, (str, Field)) for token in self._tokens)

    def _written(self, token: Field | Wild, values: Mapping[str, Any]) -> str:
        if isinstance(token, Wild):
            raise RmsError(f"{self.text!r} cannot be filled in: {token.text} has no name", hint="write {name} for it")
        if token.name not in values:
            there = ", ".join(values) or "none"
            raise RmsError(f"{self.text!r} uses {{{token.name}}}, which is not known", hint=f"there are: {there}")
        value = values[token.name]
        try:
            text = format(str(value) if token.kind is str else value, token.spec)
        except (TypeError, ValueError):
            raise RmsError(f"{{{token.name}:{token.spec}}} of {self.text!r} cannot write {value!r}") from None
        if not re.fullmatch(token.regex, text, re.DOTALL):
            raise RmsError(f"{value!r} cannot be {{{token.name}}} of {self.text!r}", hint="it would be another path")
        return text

    def _parts(self) -> Iterator[str]:
        seen: set[str] = set()
        before = ""
        for token in self._tokens:
            at_start = before.endswith("/")
            if isinstance(token, str):
                yield re.escape(token)
                before = token
                continue
            if isinstance(token, Field):
                regex = f"(?P={token.name})" if token.name in seen else f"(?P<{token.name}>{token.regex})"
                seen.add(token.name)
            else:
                regex = token.regex
            yield _HIDDEN + regex if at_start else regex
            before = "/" if isinstance(token, Wild) and token.text == "**/" else ""

    def _fixed_beginning(self) -> str:
        first = self._tokens[0] if self._tokens else ""
        return first if isinstance(first, str) else "/"

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"


class Wild(NamedTuple):
    """A wildcard without a name."""

    text: str
    regex: str

    @property
    def sample(self) -> str:
        """Something that it stands for."""
        return "" if self.text == "**/" else "a"


_WILD = {"**/": r"(?:(?!\.)[^/]+/)*", "**": r"(?:(?!\.)[^/]+/)*(?!\.)[^/]+", "*": "[^/]*", "?": "[^/]"}


def escape(text: str) -> str:
    r"""Write a text so that a pattern means just that.

    Examples
    --------
    >>> print(escape("a{b}*"))
    a\{b\}\*
    """
    return _SIGNS.sub(r"\\\g<0>", text)


def _from_home(text: str) -> str:
    """Write out the ``~`` that a pattern begins with."""
    first, slash, rest = text.partition("/")
    home = os.path.expanduser(first)
    return text if home == first else f"{escape(home)}{slash}{rest}"


def _tokens(text: str) -> Iterator[str | Field | Wild]:
    literal, end = "", 0
    for found in _TOKEN.finditer(text):
        literal += text[end : found.start()]
        end = found.end()
        if found["escaped"] is not None:
            literal += found["escaped"]
            continue
        if found["odd"]:
            raise RmsError(
                f"the pattern {text!r} has a {found['odd']} that belongs to no wildcard",
                hint=r"write {name} or {n:03d} for a wildcard, \{ for the sign itself",
            )
        if literal:
            yield literal
        literal = ""
        yield Wild(found["wild"], _WILD[found["wild"]]) if found["wild"] else _field(found["name"], found["spec"] or "")
    literal += text[end:]
    if literal:
        yield literal


def _field(name: str, spec: str) -> Field:
    if spec in ("", "s"):
        return Field(name, spec, "[^/\0]+", str)
    number = _NUMBER.fullmatch(spec)
    if number is None:
        raise RmsError(
            f"the format {spec!r} of {{{name}:{spec}}} is not one that can be read back",
            hint="use {name}, {n:d}, {n:03d} or {x:.2f}",
        )
    padding = "" if number[1] else " *"
    if number[3]:
        return Field(name, spec, rf"{padding}-?[0-9]+", int)
    return Field(name, spec, rf"{padding}-?[0-9]+\.[0-9]{{{number[4]}}}" if int(number[4]) else r" *-?[0-9]+", float)
