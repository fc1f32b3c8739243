"""Which files does the text of a command name, as bash would find them: by patterns, ``~``, variables, in scripts?

Its quotes, comments and here-documents are read as bash reads them. A variable of which nobody knows what it holds may
stand for anything, but only within a name that begins otherwise.
"""

from __future__ import annotations

import ast
import functools
import glob
import itertools
import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rms_jupyter.fingerprint.parsing import parse

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*)|\{[^}]*\}|[\d@*#?$!-])")
_HERE_DOCUMENT = re.compile(r"<<-?\s*(['\"\\]?)(\w+)\1")
_BEFORE_NAME = re.compile(r"^(-\w|@)")  # As in ``grep -fpatterns.txt`` and ``curl -d @data.json``.
_ASKS_FOR_FOLDER = re.compile(r"\b(pwd|PWD|OLDPWD|realpath|readlink|git|make)\b")
_ENDS_WORD = frozenset(" \t\n;|&<>()`=")
_ANY = frozenset("*?[]")
_MOST_FILES = 10_000
_LARGEST_SCRIPT = 1 << 20


class WordPattern(NamedTuple):
    """A word of a text, as `glob` has it; whether bash looks for files like it, or only we for what it may be."""

    text: str
    is_globbed: bool


class FilesNamed:
    """What is there of the files that a text names.

    Parameters
    ----------
    text : str
    known : mapping of str to str
        Variables, and what they hold.

    Attributes
    ----------
    files, folders, modules : dict of str to None
        Absolute paths of files, of folders in which it looks for names, and of Python that scripts import.
    """

    def __init__(self, text: str, known: Mapping[str, str]) -> None:
        self.files: dict[str, None] = {}
        self.folders: dict[str, None] = {}
        self.modules: dict[str, None] = {}
        self._add(text, known)

    def _add(self, text: str, known: Mapping[str, str]) -> None:
        for pattern in dict.fromkeys(patterns_in(text, known)):
            found = [*_existing(pattern), *_existing(pattern._replace(text=_BEFORE_NAME.sub("", pattern.text)))]
            if pattern.is_globbed and (found or any(sign in pattern.text for sign in "./")):
                self.folders.update(dict.fromkeys(_looked_in(pattern.text)))
            for path in found:
                if path not in self.files and len(self.files) < _MOST_FILES:
                    self.files[path] = None
                    self._add_script(path)

    def _add_script(self, path: str) -> None:
        """Add what a script names, too."""
        if path.endswith((".sh", ".bash")):
            self._add(_text_of(path), os.environ)
        elif path.endswith(".py"):
            for name in _named_by_python(path):
                if name.endswith(".py") and name not in self.modules:
                    self.modules[name] = None
                    self._add_script(name)
                elif not name.endswith(".py"):
                    self.files[name] = None


@functools.lru_cache(maxsize=1024)
def rests_on_folder(text: str) -> bool:
    """Whether a text may do something else in another working directory, by names that nobody knows before it runs.

    Examples
    --------
    >>> [rests_on_folder(text) for text in ("cat *.csv", 'cat "run$k.csv"', "pwd", "cat a.csv", "cat ~/*.csv $b")]
    [True, True, True, False, False]
    """
    if _ASKS_FOR_FOLDER.search(text):
        return True
    made = (each.text for each in patterns_in(text, {}) if each.is_globbed or "*" in each.text.replace("[*]", ""))
    return any(word.strip("*") and not word.startswith(("/", "~", "-")) for word in made)


def patterns_in(text: str, known: Mapping[str, str]) -> Iterator[WordPattern]:
    r"""Split a text into words, as bash does; quoted signs stand for themselves.

    Examples
    --------
    >>> text = "cat raw/*.csv 'a b*' c\\ d $dir/$k.txt run$i # it's\ngrep \"it's\" ~/x"
    >>> [pattern.text for pattern in patterns_in(text, {"dir": "new [1]"})]
    ['cat', 'raw/*.csv', 'a b[*]', 'c d', 'new [[]1]/*.txt', 'run*', 'grep', "it's", '~/x']
    """
    at, word, is_globbed, quote = 0, "", False, ""
    outer: list[str] = []
    documents: list[str] = []
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
            value = known.get(variable[1] or variable[2] or "")
            word, at = word + ("*" if value is None else glob.escape(value)), variable.end()
        elif sign == "#" and not (word or quote):
            at = (text + "\n").index("\n", at)
        elif not ends:
            word, is_globbed = word + (glob.escape(sign) if quote else sign), is_globbed or (not quote and sign in _ANY)
        if ends or at >= len(text):
            if word and (sign != ")" or outer):  # What a parenthesis ends that none begins is a pattern of `case`.
                yield WordPattern(word, is_globbed)
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


def _existing(pattern: WordPattern) -> list[str]:
    """Return the files that a pattern stands for; of one that is ours, only if their names begin with text."""
    text = os.path.expanduser(pattern.text)
    if not pattern.is_globbed and re.match(r"[*]|$", os.path.basename(text)):
        return []
    try:
        found = glob.iglob(text, recursive=True)
        return [os.path.abspath(path) for path in itertools.islice(found, _MOST_FILES) if os.path.isfile(path)]
    except (OSError, ValueError, re.error):
        return []


def _looked_in(pattern: str) -> Iterator[str]:
    """The folders in whose names bash looks for what is like a pattern."""
    parts = os.path.expanduser(pattern).split("/")
    for number, part in enumerate(parts):
        if glob.has_magic(part):
            folder = "/".join(parts[:number]) or ("/" if number else ".")
            yield from (os.path.abspath(path) for path in glob.glob(folder) if os.path.isdir(path))


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_LARGEST_SCRIPT)
    except OSError:
        return ""


def _named_by_python(path: str) -> Iterator[str]:
    """The files that a Python script names, and modules that it imports from its folder."""
    try:
        nodes = list(ast.walk(parse(_text_of(path))))
    except (SyntaxError, ValueError, RecursionError):
        return
    modules: list[str] = []
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
            yield from _existing(WordPattern(glob.escape(node.value), False)) if "\0" not in node.value else ()
        elif isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            modules += [module, *(f"{module}.{alias.name}".strip(".") for alias in node.names)]
    for module in dict.fromkeys(filter(None, modules)):
        place = os.path.join(os.path.dirname(path), *module.split("."))
        parents = [os.path.join(os.path.dirname(path), module.partition(".")[0], "__init__.py")]
        yield from filter(os.path.isfile, [*parents, f"{place}.py", os.path.join(place, "__init__.py")])
