"""Which files does the text of a command name, as bash would find them, and what do the scripts name that it runs?

A variable of which nobody knows what it holds may stand for anything, but only within a name that begins otherwise.
"""

from __future__ import annotations

import functools
import glob
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Mapping

from rms_jupyter.fingerprint.bash_words import MOST_FILES, WordPattern, files_like, patterns_in
from rms_jupyter.fingerprint.references import is_word, looks_like_path
from rms_jupyter.fingerprint.scripts import (
    BASH,
    ScriptSays,
    language_of,
    modules_at,
    modules_of_perl,
    said_by,
    text_of,
    variables_asked,
)

_BEFORE_NAME = re.compile(r"^(-\w|@)")  # As in ``grep -fpatterns.txt`` and ``curl -d @data.json``.
_ASKS_FOR_FOLDER = re.compile(r"\b(pwd|PWD|OLDPWD|realpath|readlink|git|make)\b")
_FOLDER = re.compile(r"\$\(pwd\)|`pwd`")
_RUN_BY_SHELL = re.compile(r"""(?:^|[\s;&|(])(?:source|\.|bash|sh|dash|zsh)\s+(?:-\w+\s+)*["']?([^\s;&|()"'$]+)""")
_RUNS_PYTHON = re.compile(r"\bpython[\d.]*\b")
_MODULE = re.compile(r"\bpython[\d.]*\s(?:-\w+\s+)*-m\s*([\w.]+)")
_IMPORTED = re.compile(r"\bimport\s+([\w.]+(?:\s*,\s*[\w.]+)*)|\bfrom\s+([\w.]+)\s+import\s+(\w+)")
_SEARCHED = re.compile(r"\bPYTHONPATH=[\"']?([^\s;\"']+)")
_RUNS_MAKE = re.compile(r"\bmake\b")
_TAKES_NAMES = re.compile(
    r"\b(xargs|read|mapfile|readarray|parallel|getline)\b|\$\(\s*(cat\b|<)|`\s*cat\b|-from\b|\s-T\b"
)
_SETTINGS = (".cfg", ".conf", ".ini", ".json", ".toml", ".yaml", ".yml")  # May name files that a program reads.
_IN_SETTINGS = re.compile(r"""[^\s"',=:;\[\]{}]+""")
_LONGEST_NAME = 250


class FilesNamed:
    """What is there of the files that a text names.

    Parameters
    ----------
    text : str
    known : mapping of str to str
        Variables, and what they hold.
    looks : bool
        Whether to look for files that are like a pattern, too, or only for scripts by their names.

    Attributes
    ----------
    files, folders, modules : dict of str to None
        Absolute paths of files, of folders in which it looks for names, and of Python that scripts import.
    words : dict of str to None
        What scripts name that could be files, there or not.
    variables : dict of str to None
        Of the environment, for which scripts ask.
    scripts : dict of str to str
        Absolute paths of scripts that it runs, and the languages they are read in.
    """

    def __init__(self, text: str, known: Mapping[str, str], looks: bool = True) -> None:
        self.files: dict[str, None] = {}
        self.folders: dict[str, None] = {}
        self.modules: dict[str, None] = {}
        self.words: dict[str, None] = {}
        self.variables: dict[str, None] = dict.fromkeys(variables_asked(text))
        self.scripts: dict[str, str] = {}
        self._looks = looks
        self._searched = [os.getcwd(), *_folders_in(os.environ.get("PYTHONPATH", "")), *_folders_in_text(text)]
        text = _FOLDER.sub("$PWD", text)
        self._run_by_shell = {os.path.abspath(os.path.expanduser(name)) for name in _RUN_BY_SHELL.findall(text)}
        self._lists = looks and _TAKES_NAMES.search(text) is not None
        self._add(patterns_in(text, known))
        self._add(modules_of_perl(text))
        if _RUNS_MAKE.search(text):
            self._add(WordPattern(name, False) for name in ("GNUmakefile", "makefile", "Makefile"))
        if _RUNS_PYTHON.search(text):
            self._add_modules([*_MODULE.findall(text), *_imported_in(text)], self._searched)

    def _add(self, patterns: Iterable[WordPattern]) -> None:
        for pattern in dict.fromkeys(patterns):
            if not self._looks and glob.has_magic(pattern.text):
                continue
            found = [*files_like(pattern), *files_like(pattern._replace(text=_BEFORE_NAME.sub("", pattern.text)))]
            if pattern.is_globbed and (found or any(sign in pattern.text for sign in "./")):
                self.folders.update(dict.fromkeys(_looked_in(pattern.text)))
            for path in found:
                if path not in self.files and len(self.files) < MOST_FILES:
                    self.files[path] = None
                    self._add_script(path, pattern.is_globbed)

    def _add_script(self, path: str, is_one_of_many: bool = False) -> None:
        """Add what a script names, too, and what is named in a list that the text may take names from."""
        by_shell = BASH if path in self._run_by_shell else ""
        language = "" if is_one_of_many else language_of(path) or by_shell
        if language and path not in self.scripts:
            self.scripts[path] = language
            said = said_by(path, language)
            self._add_said(said)
            if language == BASH:
                self._add(patterns_in(text_of(path), os.environ))  # Whose values are not among the words.
            self._add_modules(said.modules, [os.path.dirname(path), *self._searched[1:]])
        elif self._looks and not is_one_of_many and (self._lists or path.endswith(_SETTINGS)):
            self.files.update(dict.fromkeys(_listed_in(path)))

    def _add_said(self, said: ScriptSays) -> None:
        self.words.update((pattern.text, None) for pattern in said.patterns if _may_be_file(pattern))
        self.variables.update(dict.fromkeys(said.variables))
        self._add(said.patterns)

    def _add_modules(self, modules: Iterable[str], folders: Iterable[str]) -> None:
        for path in modules_at(list(modules), dict.fromkeys(folders)):
            if path not in self.modules:
                self.modules[path] = None
                self._add_script(path)

    @property
    def stamps(self) -> list[tuple[int, ...]]:
        """What changes when a script or module is edited."""
        return [_stamp(path) for path in (*self.scripts, *self.modules)]


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
    names = patterns_in(text, {}, whole=" ")  # Nothing is known of any variable.
    made = (each.text for each in names if each.is_globbed or "*" in each.text.replace("[*]", ""))
    return any(word.strip("*") and not word.startswith(("/", "~", "-")) for word in made)


def _may_be_file(pattern: WordPattern) -> bool:
    """Whether a script may name a file so; of folders, one that lies below the working directory."""
    name = pattern.text
    if glob.has_magic(name) or not (looks_like_path(name) or is_word(name)):
        return False
    path = os.path.abspath(name)
    return not os.path.isdir(path) or path.startswith(os.path.join(os.getcwd(), ""))


def _looked_in(pattern: str) -> Iterator[str]:
    """The folders in whose names bash looks for what is like a pattern."""
    parts = os.path.expanduser(pattern).split("/")
    for number, part in enumerate(parts):
        if glob.has_magic(part):
            folder = "/".join(parts[:number]) or ("/" if number else ".")
            yield from (os.path.abspath(path) for path in glob.glob(folder) if os.path.isdir(path))


def _listed_in(path: str) -> Iterator[str]:
    """The files that a list names, one a line or between spaces, or settings."""
    text = text_of(path)
    if "\0" not in text:
        words = dict.fromkeys([*text.splitlines(), *_IN_SETTINGS.findall(text)])
        named = itertools.islice((word for word in words if 0 < len(word) <= _LONGEST_NAME), MOST_FILES)
        yield from (os.path.abspath(word) for word in named if os.path.isfile(word))


def _imported_in(text: str) -> Iterator[str]:
    """The modules that Python within a text imports: of ``python -c``, and in here-documents."""
    for several, module, name in _IMPORTED.findall(text):
        yield from (re.split(r"\s*,\s*", several) if several else (module, f"{module}.{name}"))


def _folders_in_text(text: str) -> Iterator[str]:
    for value in _SEARCHED.findall(text):
        yield from _folders_in(value)


def _folders_in(value: str) -> list[str]:
    return [os.path.abspath(place) for place in value.split(os.pathsep) if place and "$" not in place]


def _stamp(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino
