"""What does a script say that counts: which files and modules does it name, and which variables does it read?

Bash is read as bash, Python as Python; of other languages, what stands in quotes may name a file.
"""

from __future__ import annotations

import ast
import functools
import glob
import os
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rms_jupyter.fingerprint.bash_words import ANYTHING, WordPattern, patterns_in
from rms_jupyter.fingerprint.parsing import parse

BASH, PYTHON, OTHER = "bash", "python", "other"
_LANGUAGES = {".sh": BASH, ".bash": BASH, ".mk": BASH, ".py": PYTHON}
_OTHERS = ".awk .do .gp .jl .js .lua .nf .pl .pm .R .r .rb .Rmd .smk .sql .tcl"
_LANGUAGES |= dict.fromkeys(_OTHERS.split(), OTHER)
_MAKEFILES = ("makefile", "Makefile", "GNUmakefile")
_LARGEST = 1 << 20
_QUOTED = re.compile(r""""([^"\n\\]{1,250})"|'([^'\n\\]{1,250})'""")
_ASKED = re.compile(
    r"""(?:environ(?:\.get|\.pop|\.setdefault)?|getenv|ENV(?:IRON)?)[(\[{]\s*["']?([A-Za-z_]\w*)["'\])},]"""
    r"""|process\.env\.([A-Za-z_]\w*)|\bprintenv\s+([A-Za-z_]\w*)"""
)
_ASKED_IN_BASH = re.compile(r"\$\{?[!#]?([A-Za-z_]\w*)")
_PERL_MODULE = re.compile(r"^\s*(?:use|require)\s+([A-Z]\w*(?:::\w+)*)|-M([A-Z]\w*(?:::\w+)*)", re.M)
_LOOKS = ("listdir", "scandir", "iterdir", "walk", "glob", "rglob", "iglob")


class ScriptSays(NamedTuple):
    """What a script says.

    Attributes
    ----------
    patterns : tuple of WordPattern
        Names of files.
    variables : frozenset of str
        Of the environment.
    modules : tuple of str
        Of Python, that it imports.
    """

    patterns: tuple[WordPattern, ...] = ()
    variables: frozenset[str] = frozenset()
    modules: tuple[str, ...] = ()


def language_of(path: str) -> str:
    """Return the language of a file by its name, or by its first line; '' if it is none that is run."""
    name = os.path.basename(path)
    if name in _MAKEFILES:
        return BASH
    if known := _LANGUAGES.get(os.path.splitext(name)[1]):
        return known
    first = text_of(path, 200).partition("\n")[0]
    if not first.startswith("#!"):
        return ""
    return PYTHON if "python" in first else BASH if re.search(r"sh\b", first) else OTHER


def said_by(path: str, language: str) -> ScriptSays:
    """Read a script."""
    return said_by_text(text_of(path, _LARGEST), language)


@functools.lru_cache(maxsize=512)
def said_by_text(text: str, language: str) -> ScriptSays:
    """Read the text of a script.

    Examples
    --------
    >>> said = said_by_text("import helper; open('a.csv'); os.environ['MODE']", PYTHON)
    >>> [pattern.text for pattern in said.patterns], sorted(said.variables), said.modules
    (['a.csv', 'MODE'], ['MODE'], ('helper',))
    """
    asked = variables_asked(text)
    if language == BASH:
        variables = asked.union(_ASKED_IN_BASH.findall(text))
        return ScriptSays(tuple(dict.fromkeys(patterns_in(text, {}))), variables)
    if language == PYTHON and (nodes := _nodes_of(text)) is not None:
        names = dict.fromkeys(name for node in nodes for name in _names_in(node))
        modules = dict.fromkeys(name for node in nodes for name in _imported_by(node))
        return ScriptSays(tuple(names), asked, tuple(modules))
    quoted = ("".join(groups) for groups in _QUOTED.findall(text))
    return ScriptSays(tuple(dict.fromkeys([*map(_as_pattern, quoted), *modules_of_perl(text)])), asked)


def variables_asked(text: str) -> frozenset[str]:
    """Name the variables of the environment for which programs in any language ask by name.

    Examples
    --------
    >>> sorted(variables_asked("os.environ.get('A'); $ENV{B}; Sys.getenv('C'); ENVIRON['D']; process.env.E"))
    ['A', 'B', 'C', 'D', 'E']
    """
    return frozenset("".join(names) for names in _ASKED.findall(text))


def modules_of_perl(text: str) -> Iterator[WordPattern]:
    """Name the files that modules of Perl may be in."""
    for use, option in _PERL_MODULE.findall(text):
        yield from (WordPattern(f"{place}{(use or option).replace('::', '/')}.pm", False) for place in ("", "lib/"))


def modules_at(modules: Iterable[str], folders: Iterable[str]) -> Iterator[str]:
    """Find the files of modules, and of the packages that they are in."""
    for folder in folders:
        for module in filter(None, modules):
            place = os.path.join(folder, *module.split("."))
            package = os.path.join(folder, module.partition(".")[0])
            inside = [os.path.join(place, f"__{name}__.py") for name in ("init", "main")]
            yield from filter(os.path.isfile, [os.path.join(package, "__init__.py"), f"{place}.py", *inside])


def text_of(path: str, most: int = _LARGEST) -> str:
    """Return the beginning of a file; nothing if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(most)
    except (OSError, ValueError):
        return ""


def _nodes_of(text: str) -> list[ast.AST] | None:
    try:
        return list(ast.walk(parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _names_in(node: ast.AST) -> Iterator[WordPattern]:
    """The texts, also those that are filled in, and what is looked for where nothing is named."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if 0 < len(node.value) <= 250 and "\0" not in node.value and "\n" not in node.value:
            yield _as_pattern(node.value)
    elif isinstance(node, ast.JoinedStr):
        parts = (glob.escape(str(part.value)) if isinstance(part, ast.Constant) else ANYTHING for part in node.values)
        yield WordPattern("".join(parts), False)
    elif isinstance(node, ast.Call) and not node.args and _name_of(node.func) in _LOOKS:
        yield WordPattern("./*", True)


def _as_pattern(text: str) -> WordPattern:
    if text in (".", "./"):
        return WordPattern("./*", True)
    return WordPattern(text, True) if glob.has_magic(text) else WordPattern(text, False)


def _imported_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        yield module
        yield from (f"{module}.{alias.name}".strip(".") for alias in node.names)
    elif isinstance(node, ast.Call) and _name_of(node.func) in ("import_module", "__import__", "run_module"):
        yield from (arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant) and isinstance(arg.value, str))


def _name_of(node: ast.AST) -> str:
    return getattr(node, "attr", "") or getattr(node, "id", "")
