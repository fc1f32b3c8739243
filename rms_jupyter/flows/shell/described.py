"""What makes a command the same?  Its text, the programs that it names, and what it finds in its environment.

Variables of the environment that the text names count, as they do in Python; those that were not listed count without
being written down anywhere. The locale counts, which decides how `sort` sorts.
"""

from __future__ import annotations

import functools
import glob
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from rms_jupyter.fingerprint.bash_words import patterns_in
from rms_jupyter.fingerprint.calls import SECRET
from rms_jupyter.fingerprint.code import CodeVersion, Read
from rms_jupyter.fingerprint.values import digest, tagged
from rms_jupyter.fingerprint.version import ENVIRONMENT
from rms_jupyter.flows.shell.environments import activated, packages_in, stamps_of
from rms_jupyter.flows.shell.named import FilesNamed, rests_on_folder
from rms_jupyter.flows.shell.tools import mark_of, programs_in, version_of
from rms_jupyter.store.upkeep.trust import concealed

_VARIABLE = re.compile(r"\$\{?[!#]?([A-Za-z_]\w*)")
_WORD = re.compile(r"""'([^']*)'|"([^"$`]*)"|([^\s;|&<>()"'`$={}]+)""")
_DRAWS = re.compile(
    r"\$\{?(S?RANDOM)\b|\b(uuidgen|openssl rand|mktemp -u)\b|(/dev/u?random)\b|/kernel/(random)/|\b(srand)\(\)"
    r"|\b(shuf)\b(?![^\n|]*--random-source)|\b(sort -R)\b(?![^\n|]*--random-source)"
)
_LOOKS_AROUND = re.compile(
    r"(?:^|[;|&(\n]|\$\()\s*(find|ls|du|tree)(?:\s+-[\w-]+)*\s*(?:\.{1,2}/?(?=[\s;|&)]|$)|[;|&)\n]|$|-\w)"
)
_ASKS_MACHINE = re.compile(
    r"(?:^|[;|&(\n]|\$\()\s*(?:(?:(env|printenv|set)\s*(?=[;|&)\n>]|$))|(stat|ps|uptime|free|df|nvidia-smi)\b)|(/proc/)(?!self/fd)"
)
_MOST_WORDS = 1000
_LOCALE = ("LC_ALL", "LC_COLLATE", "LANG")


def described(
    text: str,
    names: Collection[str],
    variables: Collection[str],
    exit_codes: Sequence[int],
    prefix: str = "",
    ignore: Collection[str] = (),
    folder: Callable[[], str] = str,
) -> CodeVersion:
    """Describe a command.

    Parameters
    ----------
    text : str
    names : collection of str
        What is declared: variables that a call gives.
    variables : collection of str
        Variables of the environment that it reads, beside those that its text names.
    exit_codes : sequence of int
        Those that are no failure.
    prefix : str
        The folder of the environment that its programs are in, if it has one.
    ignore : collection of str
        Parts that do not count.
    folder : callable
        Returns the place of the working directory, which counts where the text may rest on it.
    """
    version = CodeVersion()
    version.parts["command"], version.sources["command"] = digest(text).hex(), text
    version.parts["exit codes"] = " ".join(map(str, sorted(exit_codes)))
    version.parts["locale"] = locale_now()
    version.held.append(("the locale", locale_now, version.parts["locale"]))
    if rests_on_folder(text):
        version.parts["working directory"] = folder()
        version.held.append(("the working directory", folder, version.parts["working directory"]))
    if prefix:
        packages = "\n".join(packages_in(prefix))
        version.parts["environment"], version.sources["environment"] = digest(packages).hex(), packages
        version.held.append(("the environment", lambda: stamps_of(prefix), stamps_of(prefix)))
    for word, program in programs_in(text, activated(dict(os.environ), prefix).get("PATH", os.defpath)).items():
        if word not in names:
            version.parts[word] = version_of(program)
            version.held.append((word, lambda program=program: mark_of(program), mark_of(program)))  # type: ignore[misc]
    named = FilesNamed(text, {**os.environ, "PWD": os.getcwd()}, looks=False)
    version.held.append(("a script", lambda: named.stamps, named.stamps))
    asked = {*variables, *variables_in(text), *named.variables} - {*names, "_"}
    listed = set(variables)
    version.reads = [
        Read(f"{ENVIRONMENT}{name}", os.environ if name in listed else CONCEALED, name) for name in sorted(asked)
    ]
    written_out = (pattern.text for pattern in patterns_in(text, {}))
    words = dict.fromkeys([*words_in(text, names), *written_out, *named.words])
    version.literals = [word for word in words if not glob.has_magic(word)]  # Of those, see `named`.
    version.obstacle = _obstacle(text)
    version.parts = {name: part for name, part in version.parts.items() if name not in ignore}
    version.digest = tagged("command", [digest(pair) for pair in sorted(version.parts.items())])
    return version


def _obstacle(text: str) -> str:
    """Say why a command runs each time, whatever is on record; '' if it does not."""
    if draws := _DRAWS.search(text):
        return f"{draws[draws.lastindex or 0]}: it draws random numbers"
    if asks := _ASKS_MACHINE.search(text):
        return f"{asks[asks.lastindex or 0]}: it asks for what changes without being seen"
    if looks := _LOOKS_AROUND.search(text):
        return f"{looks[1]}: it looks for files all around"
    return ""


class _Concealed(Mapping[str, str]):
    """The environment, with what stands for each value and is of no use to others."""

    def __getitem__(self, name: str) -> str:
        return f"{SECRET} {_concealed(os.environ[name])}"

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)


@functools.lru_cache(maxsize=256)
def _concealed(value: str) -> str:
    return concealed(digest(value)).hex()[:8]


CONCEALED = _Concealed()


def variables_in(text: str) -> list[str]:
    """Name the variables that a text reads.

    Examples
    --------
    >>> variables_in('sort -T "$TMPDIR" "${reads[@]}"')
    ['TMPDIR', 'reads']
    """
    return list(dict.fromkeys(_VARIABLE.findall(text)))


def words_in(text: str, names: Collection[str]) -> list[str]:
    """List the words of a text that could name files.

    Examples
    --------
    >>> words_in("join lib/helper.awk 'a b.txt' --check > merged.txt", ())
    ['join', 'lib/helper.awk', 'a b.txt', 'merged.txt', 'a', 'b.txt']
    """
    unquoted = text.replace("'", " ").replace('"', " ")  # A quote may be no quote: in a comment or a here-document.
    words = ("".join(match.groups("")) for each in (text, unquoted) for match in _WORD.finditer(each))
    found = (word for word in words if word and not word.startswith("-") and word not in names and "\n" not in word)
    return list(dict.fromkeys(found))[:_MOST_WORDS]


def locale_now() -> str:
    """Return the locale that decides how text is sorted."""
    return next((value for name in _LOCALE if (value := os.environ.get(name))), "C")
