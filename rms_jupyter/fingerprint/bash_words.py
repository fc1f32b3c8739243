"""Into which words does bash split a text, and which files could each of them name?

Its quotes, comments and here-documents are read as bash reads them. A variable of which nobody knows what it holds may
stand for anything; one that the text sets, by ``i=...`` or ``for i in ...``, for what it is set to.
"""

from __future__ import annotations

import glob
import itertools
import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*)|\{[^}]*\}|[\d@*#?$!-])")
_HERE_DOCUMENT = re.compile(r"<<-?\s*(['\"\\]?)(\w+)\1")
_SET = re.compile(
    r"""(?<![\w$-])([A-Za-z_]\w*)=(?:"([^"]*)"|'([^']*)'|([^\s;&|]*))|\bfor\s+([A-Za-z_]\w*)\s+in\s([^;\n]*)"""
)
_OPAQUE = frozenset("$`()*?[]\\'\"<>|& ")
_ENDS_WORD = frozenset(" \t\n;|&<>()`=")
_ANY = frozenset("*?[]")
_OPEN, _COMMA, _CLOSE = "\ue000", "\ue001", "\ue002"  # Braces and commas that bash has expanded, in a word.
_BRACES = {"{": _OPEN, ",": _COMMA, "}": _CLOSE}
_AS_MARKS = str.maketrans(_BRACES)
_AS_WRITTEN = str.maketrans({mark: sign for sign, mark in _BRACES.items()})
_INNERMOST = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)|([a-zA-Z])\.\.([a-zA-Z])")
_MOST_ALIKE = 1000
MOST_FILES = 10_000
ANYTHING = "*"


class WordPattern(NamedTuple):
    """A word of a text, as `glob` has it; whether bash looks for files like it, or only we for what it may be."""

    text: str
    is_globbed: bool


def files_like(pattern: WordPattern, folder: str = "") -> list[str]:
    """Return the files that a pattern stands for in a folder, by absolute paths.

    Of a pattern that is ours, only if their names begin with text.
    """
    text = os.path.expanduser(pattern.text)
    if not pattern.is_globbed and re.match(r"[*]|$", os.path.basename(text)):
        return []
    try:
        found = (
            os.path.abspath(os.path.join(folder, path)) for path in glob.iglob(text, root_dir=folder, recursive=True)
        )
        return [path for path in itertools.islice(found, MOST_FILES) if os.path.isfile(path)]
    except (OSError, ValueError, re.error):
        return []


def patterns_in(text: str, known: Mapping[str, str], whole: str = "") -> Iterator[WordPattern]:
    r"""Split a text into words, as bash does; quoted signs stand for themselves.

    Parameters
    ----------
    text : str
    known : mapping of str to str
        Variables, and what they hold.
    whole : str
        What sets variables, if that is not this text but one that it is from.

    Examples
    --------
    >>> text = "cat raw/*.csv 'a b*' c\\ d $dir/$k.txt run$i # it's\ngrep \"it's\" ~/x"
    >>> [pattern.text for pattern in patterns_in(text, {"dir": "new [1]"})]
    ['cat', 'raw/*.csv', 'a b[*]', 'c d', 'new [[]1]/*.txt', 'run*', 'grep', "it's", '~/x']
    >>> [pattern.text for pattern in patterns_in("for i in a b; do cat $i.{x,y}; done", {})][7:11]
    ['a.x', 'a.y', 'b.x', 'b.y']
    """
    at, word, is_globbed, quote = 0, "", False, ""
    outer: list[str] = []
    documents: list[str] = []
    held = values_in(whole or text, known)
    while at < len(text):
        sign, at = text[at], at + 1
        ends = not quote and sign in _ENDS_WORD
        if quote == "'":
            quote, word = ("", word) if sign == "'" else (quote, word + glob.escape(sign))
        elif sign == "\\":
            word, at = word + glob.escape(text[at : at + 1].strip("\n")), at + 1
        elif sign in "\"'" and not (quote and sign == "'"):
            quote = "" if quote else sign
        elif text.startswith("$(", at - 1):
            outer.append(quote)
            quote, at, ends = "", at + 1, True
        elif sign == "$" and (variable := _VARIABLE.match(text, at - 1)):
            word, at = word + held.get(variable[1] or variable[2] or "", ANYTHING), variable.end()
        elif sign == "#" and not (word or quote):
            at = (text + "\n").index("\n", at)
        elif not ends and not quote and sign in _BRACES:
            word += _BRACES[sign]
        elif not ends:
            word, is_globbed = word + (glob.escape(sign) if quote else sign), is_globbed or (not quote and sign in _ANY)
        if ends or at >= len(text):
            if word and (sign != ")" or outer):  # What a parenthesis ends that none begins is a pattern of `case`.
                yield from (WordPattern(each, is_globbed) for each in _expanded([word]))
            word, is_globbed = "", False
        if ends and sign == ")" and outer:
            quote = outer.pop()
        elif ends and sign == "<" and (document := _HERE_DOCUMENT.match(text, at - 1)):
            documents, at = [*documents, document[2]], document.end()
        elif ends and sign == "\n":
            for end in documents:
                closing = re.compile(rf"^\t*{end}$", re.M).search(text, at)
                at = closing.end() if closing else len(text)
            documents = []


def values_in(text: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return what variables may hold, as a word has it: what is known of them, and what the text sets them to."""
    found: dict[str, dict[str, None]] = {}
    for name, double, single, bare, counter, values in _SET.findall(text):
        words = values.split() if counter else [double or single or bare]
        held = found.setdefault(name or counter, {})
        for word in words:
            held[ANYTHING if _OPAQUE.intersection(word) else word.translate(_AS_MARKS)] = None
    for name in known.keys() & found.keys():
        found[name][glob.escape(known[name])] = None
    alone = {name: glob.escape(value) for name, value in known.items() if name not in found}
    return {**alone, **{name: _any_of(list(values)) for name, values in found.items()}}


def _any_of(words: list[str]) -> str:
    return _OPEN + _COMMA.join(words) + _CLOSE if len(words) > 1 else "".join(words)


def _expanded(words: list[str]) -> list[str]:
    """Write out ``{a,b}`` and ``{1..3}``; braces around one thing stay."""
    done: list[str] = []
    while words and len(done) < _MOST_ALIKE:
        word = words.pop()
        if found := _INNERMOST.search(word):
            each = _alternatives(found[1]) or [f"{{{found[1]}}}"]
            words += [word[: found.start()] + one + word[found.end() :] for one in reversed(each)]
        else:
            done.append(word.translate(_AS_WRITTEN))
    return done


def _alternatives(inside: str) -> list[str]:
    """Return what braces stand for, or nothing."""
    if bounds := _RANGE.fullmatch(inside):
        first, last = (int(bounds[1]), int(bounds[2])) if bounds[1] else (ord(bounds[3]), ord(bounds[4]))
        numbers = range(min(first, last), max(first, last) + 1)
        width = max(len(bounds[1] or ""), len(bounds[2] or "")) if (bounds[1] or "").startswith("0") else 0
        return [str(n).zfill(width) if bounds[1] else chr(n) for n in itertools.islice(numbers, _MOST_ALIKE)]
    return inside.split(_COMMA) if _COMMA in inside else []
