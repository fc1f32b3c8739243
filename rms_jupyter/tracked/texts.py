"""What does the text of a script, a module or a notebook say that counts?

Comments, formatting and positions do not count; of a notebook, neither do its prose and its outputs. What is not Python
counts as it is written.
"""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from rms_jupyter.fingerprint.parsing import parse
from rms_jupyter.fingerprint.references import as_text, is_word, looks_like_path
from rms_jupyter.fingerprint.values import digest

_GETTERS = frozenset({"get", "pop", "setdefault", "getenv"})
_IMPORTERS = ("import_module", "__import__")
_TAKE_PATHS = frozenset("exists lexists isfile isdir islink getsize access stat open Path PurePath join".split())
_FILL_IN = frozenset(
    {"expandvars", "system", "popen", "run", "Popen", "call", "check_output", "check_call", "getoutput"}
)
_FILLED_IN = re.compile(r"\$\{?([A-Za-z_]\w*)")
_LONGEST_NAME = 250


class ImportedName(NamedTuple):
    """A module that is asked for: ``from ..module import names``, with as many dots as `level`."""

    module: str
    level: int = 0
    names: tuple[str, ...] = ()


class TextSays(NamedTuple):
    """What a text says.

    Attributes
    ----------
    digest : str
        The same for texts that differ in nothing that counts.
    text : str
        As it is shown.
    imports : tuple of ImportedName
    variables : frozenset of str
        Of the environment, that it asks for by name.
    names : frozenset of str
        Texts in it that could name files.
    language : str
        Of a notebook's kernel, as far as it is named.
    """

    digest: str
    text: str
    imports: tuple[ImportedName, ...] = ()
    variables: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    language: str = "python"


@functools.lru_cache(maxsize=4096)
def said_by(text: str) -> TextSays:
    r"""Read Python.

    Examples
    --------
    >>> said = said_by("from lib import tools  # mine\nx = tools.load('a.csv', os.environ['MODE'])")
    >>> said.imports, sorted(said.variables), sorted(said.names)
    ((ImportedName(module='lib', level=0, names=('tools',)),), ['MODE'], ['a.csv'])
    >>> said_by("x = 1").digest == said_by("x = (1)  # one").digest
    True
    """
    try:
        tree = parse(text)
        shape = ast.dump(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return TextSays(digest(text).hex(), text)
    nodes = list(ast.walk(tree))
    texts = {as_text(node.value) for node in nodes if isinstance(node, ast.Constant)}
    names = frozenset(name for name in texts if name and len(name) <= _LONGEST_NAME and looks_like_path(name))
    names |= {name for node in nodes for name in _plain_names(node)}
    imports = tuple(dict.fromkeys(found for node in nodes for found in _imports(node)))
    variables = frozenset(name for node in nodes for name in _variables(node))
    return TextSays(digest(shape).hex(), text, imports, variables, names)


def _plain_names(node: ast.AST) -> Iterator[str]:
    """Names without an ending or a folder, where a path is asked for."""
    if isinstance(node, ast.Call) and _last_name(node.func) in _TAKE_PATHS:
        yield from (name for each in node.args if (name := _text(each)) and is_word(name))


def _imports(node: ast.AST) -> Iterator[ImportedName]:
    if isinstance(node, ast.Import):
        yield from (ImportedName(alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield ImportedName(node.module or "", node.level, tuple(alias.name for alias in node.names))
    elif isinstance(node, ast.Call) and _last_name(node.func) in _IMPORTERS and (text := _first_text(node.args)):
        yield ImportedName(text)


def _variables(node: ast.AST) -> Iterator[str]:
    """Names in ``os.environ["NAME"]``, ``environ.get("NAME")``, ``"NAME" in environ``, ``expandvars("$NAME/x")``."""
    found: str | None = None
    if isinstance(node, ast.Subscript) and _last_name(node.value) == "environ":
        found = _text(node.slice)
    elif isinstance(node, ast.Call) and (called := _last_name(node.func)) in _GETTERS:
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if called == "getenv" or _last_name(owner) == "environ":
            found = _first_text(node.args)
    elif isinstance(node, ast.Call) and _last_name(node.func) in _FILL_IN:
        texts = filter(None, map(_text, (each for argument in node.args for each in ast.walk(argument))))
        yield from (name for text in texts for name in _FILLED_IN.findall(text))
    elif isinstance(node, ast.Compare) and _last_name(node.comparators[0]) == "environ":
        found = _text(node.left)
    if found:
        yield found


def _last_name(node: ast.AST | None) -> str:
    return getattr(node, "attr", "") or getattr(node, "id", "")


def _first_text(arguments: list[ast.expr]) -> str | None:
    return _text(arguments[0]) if arguments else None


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


# Notebooks ------------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=512)
def said_by_notebook(text: str) -> TextSays:
    """Read the text of a notebook: its code cells, and which of them holds the parameters."""
    cells = [cell for cell in _cells(text) if cell.get("cell_type") == "code"]
    if not cells:
        return TextSays(digest(text).hex(), text, language=_language_of(text))
    sources = [_source(cell) for cell in cells]
    said = [said_by(_without_magics(source)) for source in sources]
    tags = [sorted(map(str, cell.get("metadata", {}).get("tags", []))) for cell in cells]
    return TextSays(
        digest([[one.digest, own] for one, own in zip(said, tags, strict=True)]).hex(),
        "\n\n".join(sources),
        tuple(dict.fromkeys(found for one in said for found in one.imports)),
        frozenset().union(*(one.variables for one in said)),
        frozenset().union(*(one.names for one in said)),
        _language_of(text),
    )


def _language_of(text: str) -> str:
    try:
        metadata = json.loads(text).get("metadata", {})
        named = metadata.get("kernelspec", {}).get("language") or metadata.get("language_info", {}).get("name")
    except (ValueError, AttributeError):
        return ""
    return str(named or "python").lower()


def _cells(text: str) -> list[dict[str, Any]]:
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, KeyError, TypeError):
        return []
    return [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _without_magics(source: str) -> str:
    if not source.lstrip().startswith("%") and "\n%" not in source and "!" not in source and "?" not in source:
        return source
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return str(TransformerManager().transform_cell(source))  # type: ignore[no-untyped-call]
    except SyntaxError:
        return source
