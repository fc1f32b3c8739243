"""What is a code version put together from?  Its parts, what it reads, and what can be looked at again."""

from __future__ import annotations

import os
import re
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from rms_jupyter.fingerprint.anatomy import compiled_file
from rms_jupyter.fingerprint.environment import asks_environment, is_environment, variables_filled_in
from rms_jupyter.fingerprint.nesting import NestedInputs, explore
from rms_jupyter.fingerprint.origin import origin_of, public_name
from rms_jupyter.fingerprint.references import (
    globals_assigned,
    is_word,
    keyed_lookups,
    looks_like_path,
    looks_up_by_text,
    names_of,
    opens_files,
    paths_in,
    words_in,
)
from rms_jupyter.fingerprint.settings import makes_text, settings_of
from rms_jupyter.fingerprint.source import SourceText
from rms_jupyter.fingerprint.values import digest, tagged
from rms_jupyter.fingerprint.version import ENVIRONMENT, MISSING, CodeVersion, Read

_ASKS_AS_WRITTEN = re.compile(
    r"\b__doc__\b|\b__annotations__\b|\b(getdoc|getsource|getsourcelines|get_annotations|get_type_hints|signature)\("
)


class CodeWalk(Protocol):
    """Goes on with what a part refers to."""

    def visit(self, thing: Any, label: str) -> None:
        """Describe something callable, a class or a module, once."""

    def data(self, label: str, get: Callable[[], Any]) -> None:
        """Describe a value that the code holds."""

    def name(self, function: Any, label: str) -> None:
        """Note what a function is called, where that is not what the code calls it."""


class CodeParts:
    """Collects what is found into `version`.

    Parameters
    ----------
    root : str
        What the function is called: the name of its first part, which does not count.
    ignore : tuple of str
        Globals and parts that do not count.

    Attributes
    ----------
    version : CodeVersion
    ignore : set of str
    named : set of str
        All names in the code.
    """

    def __init__(self, root: str, ignore: tuple[str, ...]) -> None:
        self.version, self.ignore = CodeVersion(), set(ignore)
        self.named: set[str] = set()
        self._root = root
        self._identity = ""  # The name of a function that is not the user's, and counts by that.
        self._paths: dict[str, None] = {}
        self._words: dict[str, None] = {}
        self._opens_files = False
        self._assigned: list[tuple[dict[str, Any], str]] = []
        self._read: set[tuple[int, str]] = set()

    def finish(self, docs: Iterable[str | None]) -> CodeVersion:
        """Digest what was found; `docs` are the docstrings of classes."""
        version = self.version
        self._as_written(docs)
        version.reads = sorted({read.label: read for read in version.reads}.values(), key=lambda read: read.label)
        version.literals = [*self._paths, *(self._words if self._opens_files else ())]
        named = sorted((self._without_root(name), part) for name, part in version.parts.items())
        version.settings = settings_of(version.parts, version.sources.values())
        version.makes_text = makes_text(version.sources.values())
        for namespace, name in self._assigned:
            label = name if name not in version.assigned else f"{namespace.get('__name__')}.{name}"
            version.assigned[label] = namespace, name, (id(namespace), name) in self._read
        decides = version.reads or version.literals or version.obstacle or version.assigned or version.caches
        version.closed = not decides
        version.digest = tagged("code", map(digest, [self._identity, *named]))
        return version

    # What code says --------------------------------------------------------------------------------------------------

    def add_text(self, label: str, text: SourceText) -> None:
        """Add the text of a function as a part."""
        self.version.parts[label] = text.digest.hex()
        self.version.sources[label] = text.text
        if text.edited_file and text.edited_file not in self.version.edited:
            self.version.edited.append(text.edited_file)

    def add_code(self, code: types.CodeType, names: dict[str, Any]) -> None:
        """Note what compiled code names, opens, asks and assigns, where it finds its globals in `names`."""
        version = self.version
        self._paths.update(dict.fromkeys(paths_in(code)))
        self._words.update(dict.fromkeys(words_in(code)))
        self._opens_files = self._opens_files or opens_files(code)
        self.named |= names_of(code)
        keyed = [keyed.key for keyed in keyed_lookups(code) if is_environment(keyed, names)]
        asked = [*keyed, *sorted(variables_filled_in(code))]
        version.reads += [Read(f"{ENVIRONMENT}{name}", os.environ, name) for name in asked]
        version.names_environment = version.names_environment or asks_environment(code, names)
        self._assigned += [(names, name) for name in sorted(globals_assigned(code))]
        if looks_up_by_text(code) and not any(known is names for known in version.looked_up_by_text):
            version.looked_up_by_text.append(names)

    def add_version(self, other: CodeVersion, label: str) -> None:
        """Add what describes itself: a command."""
        version = self.version
        version.parts |= {f"{label} {name}": part for name, part in other.parts.items()}
        version.sources |= {f"{label} {name}": text for name, text in other.sources.items()}
        version.reads += other.reads
        version.held += other.held
        version.caches += other.caches
        self._paths.update(dict.fromkeys(other.literals))
        self.refuse(other.obstacle)

    def add_name(self, label: str, module: str, qualname: str) -> None:
        """Add what counts by its name, and by the version of its package (or the content of a compiled module)."""
        origin, version = origin_of(module), self.version
        self.add_package(module)
        name = public_name(module, qualname)
        if label != self._root or self._identity:
            version.parts[self.unused(label)] = name
        else:
            self._identity = name
            if origin.kind == "stdlib":
                version.parts["Python"] = f"{sys.version_info.major}.{sys.version_info.minor}"
        if origin.kind == "user" and (path := compiled_file(module)):
            version.parts[module] = digest(Path(path).read_bytes()).hex()

    def add_package(self, module_name: str | None) -> None:
        """Add the package of a module, with its version."""
        origin = origin_of(module_name)
        if origin.kind == "package" and origin.package not in self.ignore:
            self.version.parts[origin.package] = origin.version
            if origin.edited:
                self.refuse(f"{origin.package}: {origin.edited} was edited since it was imported")

    def add_read(self, label: str, namespace: dict[str, Any], name: str) -> None:
        """Add a global that holds data; of one name in several modules they are ``CUTOFF``, ``helpers.CUTOFF``."""
        reads = self.version.reads
        if any(read.label == label and read.namespace is not namespace for read in reads):
            label = f"{namespace.get('__name__')}.{label}"
        reads.append(Read(label, namespace, name))

    def is_first_look(self, namespace: Mapping[str, Any], name: str) -> bool:
        """Whether a global is looked at for the first time."""
        is_first = (id(namespace), name) not in self._read
        self._read.add((id(namespace), name))
        return is_first

    def refuse(self, obstacle: str) -> None:
        """Note what keeps the code from being described; the first counts."""
        self.version.obstacle = self.version.obstacle or obstacle

    # What can be looked at again -------------------------------------------------------------------------------------

    def watch(self, namespace: Mapping[str, Any], name: str) -> None:
        """Note what a name is bound to."""
        self.version.watched.append((namespace, name, namespace.get(name, MISSING)))

    def hold(self, label: str, look: Callable[[], Any], found: Any) -> None:
        """Note what was found, and how it is looked at again."""
        self.version.held.append((label.rpartition(" ")[2], look, found))

    def hold_size(self, names: Mapping[Any, Any], label: str) -> None:
        """Note how many names there are."""
        self.hold(label, lambda: len(names), len(names))

    # Names of parts, and of files ------------------------------------------------------------------------------------

    def is_default_of_root(self, label: str) -> bool:
        """Whether a part is a default of the described function itself: those come as arguments."""
        return label.startswith(f"{self._root} default ")

    def note_paths(self, value: Any) -> None:
        """Data that the code holds (attributes of classes, defaults of helpers, closures) may name files, too."""
        found = NestedInputs()
        explore("", value, found, lambda _: None)
        for path, _ in found.paths:
            if looks_like_path(path):
                self._paths[path] = None
            elif is_word(path):
                self._words[path] = None

    def unused(self, label: str) -> str:
        """Tell functions of one name apart: ``scale``, ``scale (2)``."""
        name, count = label, 1
        while name in self.version.parts:
            count += 1
            name = f"{label} ({count})"
        return name

    def _without_root(self, label: str) -> str:
        is_below = label.startswith((f"{self._root} ", f"{self._root}."))
        return label.removeprefix(self._root) if label == self._root or is_below else label

    def _as_written(self, docs: Iterable[str | None]) -> None:
        """Docstrings, annotations and comments, where the code asks for them."""
        texts = list(self.version.sources.values())
        if any(map(_ASKS_AS_WRITTEN.search, texts)):
            self.version.parts[self.unused("docstrings and comments")] = digest([*texts, *docs]).hex()
