"""Which call is it?  Finds a call's inputs and its key in its arguments, in the globals that are read, and in files."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from msgspec.msgpack import Ext

from rms_jupyter.fingerprint.calls import BOUND, NUMBERS, Call, Role, of_reference, pack
from rms_jupyter.fingerprint.code import CodeVersion, describe_once, described_so_far, describing_once
from rms_jupyter.fingerprint.environment import variables_named
from rms_jupyter.fingerprint.nesting import BEHIND, Lookup, NestedInputs, explore
from rms_jupyter.fingerprint.preview import is_well_formed
from rms_jupyter.fingerprint.project import Project
from rms_jupyter.fingerprint.references import names_in
from rms_jupyter.fingerprint.settings import libraries_of, settings_now, settings_with
from rms_jupyter.fingerprint.values import SCALARS, Undigestable, digest, tagged
from rms_jupyter.model import Ref, Reference

FileIdentity = Callable[[str], str]
_LONGEST_TEXT = 8 * 1024
_IGNORED = Ext(0, b"")
_ABSENT = Ext(3, b"")


def identify(
    call: Call,
    version: CodeVersion,
    roles: Mapping[str, Role],
    ignore: tuple[str, ...],
    lookup: Lookup,
    file_identity: FileIdentity,
) -> None:
    """Find a call's inputs and its key.

    Parameters
    ----------
    call : Call
        With names and values; filled in here.
    version : CodeVersion
        Of the pipe, as it would run now.
    roles : mapping
        Parameters annotated as files to read (``in``) or to write (``out``).
    ignore : tuple of str
        Arguments and globals that do not count.
    lookup : callable
        Gives the resource whose content an object is, or was when it was handed out; else None.
    file_identity : callable
        Says what the file at an absolute path counts as.

    Raises
    ------
    RmsError
        If a file to read is missing.
    """
    with describing_once():
        _identify(call, version, roles, ignore, lookup, file_identity)
        call.described = described_so_far()


def _identify(
    call: Call,
    version: CodeVersion,
    roles: Mapping[str, Role],
    ignore: tuple[str, ...],
    lookup: Lookup,
    file_identity: FileIdentity,
) -> None:
    call.obstacle, call.assigned = version.obstacle, version.assigned
    parts = _Parts(call.project)
    for name, value in zip(call.names, call.values, strict=True):
        if name in call.secret:
            parts.append(_concealed(call, name, value))
        elif roles and name in roles:
            parts.add(*_file_argument(call, name, value, roles[name], file_identity))
        elif type(value) in NUMBERS and name not in ignore:
            parts.append(_scalar(value))
            if ref := lookup(value):
                call.inputs.used.append((ref, name))
        else:
            parts.add_value(value, _argument(call, name, value, lookup, counts=name not in ignore))
    for read in version.reads:
        if read.label in ignore:
            continue
        if read.name in read.namespace:
            value = call.globals[read.label] = read.value()
            if read.label in call.secret:
                parts.append(_concealed(call, read.label, value))
                continue
            parts.add_value(value, _argument(call, read.role, value, lookup, counts=True))
        else:
            parts.append(_ABSENT)
    for namespace in version.looked_up_by_text:
        for named in _named_by_arguments(call, namespace, ignore, lookup):
            parts.append(named)
    for name, setting in settings_now(_settings_that_count(call, version)).items():
        call.globals[name] = setting
        parts.add((name, parts.placed(setting) or setting), (name, setting))
    if version.names_environment:
        for named in _environment_named(call):
            parts.append(named)
    if version.literals or call.globals or call.inputs.code:
        _add_literals(call.inputs, version.literals)
    call.version, call.inputs_key = version.digest, pack(tuple(parts.now))
    call.former_inputs_key = pack(tuple(parts.formerly)) if parts.formerly != parts.now else b""
    call.key = os.urandom(16).hex() if call.obstacle else call.key_under(version.digest)


def _settings_that_count(call: Call, version: CodeVersion) -> Iterable[str]:
    """Name the settings that a call depends on: by its code, that of functions that it is given, and its values."""
    versions = (version, *described_so_far())
    values = (*call.values, *call.globals.values())
    libraries = libraries_of(value for value in values if not issubclass(type(value), Reference))
    names = [name for one in versions for name in one.settings]
    if libraries:
        names += settings_with(libraries, any(one.makes_text for one in versions))
    return dict.fromkeys(names)


class _Parts:
    """What a key is made of; and what it was made of by earlier versions, to which each path was absolute.

    Parameters
    ----------
    project : Project or None
        Whose files count by their places.
    """

    def __init__(self, project: Project | None) -> None:
        self._project = project
        self.now: list[Any] = []
        self.append = self.now.append
        self._formerly: dict[int, Any] = {}

    def add(self, part: Any, formerly: Any) -> None:
        """Add a part that was another formerly."""
        if part != formerly:
            self._formerly[len(self.now)] = formerly
        self.append(part)

    def add_value(self, value: Any, part: Any) -> None:
        """Add what stands for a value, or for its place in the project where it is a path."""
        placed = self.placed(value) if part is not _IGNORED else None
        self.add(part if placed is None else placed, part)

    def placed(self, value: Any) -> Ext | None:
        """Return what stands for paths in the project, or None where there are none."""
        if self._project is None or (placed := self._project.placed(value)) is None:
            return None
        try:
            return Ext(4, digest(placed))
        except Undigestable:
            return None

    @property
    def formerly(self) -> list[Any]:
        """The parts as they were formerly."""
        return [self._formerly.get(number, part) for number, part in enumerate(self.now)]


def _named_by_arguments(
    call: Call, namespace: Mapping[str, Any], ignore: tuple[str, ...], lookup: Lookup
) -> Iterator[Any]:
    """Add the variables that are named in texts among the arguments: ``evaluate("rate * 2")``."""
    texts = [text for value in call._open_values() for text in _texts_in(value)]
    for name in sorted(names_in(texts)):
        if name in namespace and name not in call.globals and name not in ignore:
            value = call.globals[name] = namespace[name]
            yield name, _argument(call, f"global:{name}", value, lookup, counts=True)


def _environment_named(call: Call) -> Iterator[Any]:
    """Add the variables of the environment that are named in arguments and globals: ``os.getenv(name)``."""
    for value in (*call._open_values(), *(value for n, value in call.globals.items() if n not in call.secret)):
        for name in sorted(variables_named(_texts_in(value))):
            call.globals[f"env:{name}"] = os.environ.get(name)
            yield name, os.environ.get(name)


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value[:_LONGEST_TEXT]
    elif isinstance(value, (list, tuple, dict)):
        yield from (item for item in (value.values() if isinstance(value, dict) else value) if isinstance(item, str))


def _add_literals(inputs: NestedInputs, literals: list[str]) -> None:
    """Add the names in the code; in folders too wide to count (the one that all is in), what they name there."""
    inner = [name for code, _ in inputs.code for name in describe_once(code).literals]
    literals = list(dict.fromkeys([*literals, *inner])) if inner else literals
    wide = [path for path, role in inputs.paths if role.startswith(BEHIND) and _is_wide(path)]
    if wide:
        inputs.paths = [(path, role) for path, role in inputs.paths if path not in wide or not role.startswith(BEHIND)]
        inputs.paths += [(os.path.join(folder, name), f"code:{name}") for folder in wide for name in literals]
    inputs.paths += [(path, f"code:{path}") for path in literals if not _is_wide(path)]


def _is_wide(path: str) -> bool:
    """Whether a path names the working directory, or a folder that it is in."""
    try:
        inside = os.path.join(os.getcwd(), "")
    except OSError:
        return False
    return inside.startswith(os.path.join(os.path.abspath(path), "")) if path else False


def _argument(call: Call, name: str, value: Any, lookup: Lookup, counts: bool) -> Any:
    """Give what stands for an argument in the key: a scalar itself, anything else its digest."""
    kind = type(value)
    if kind in SCALARS and _stands_for_itself(value):
        explore(name, value, call.inputs, lookup)
        return value if counts else _IGNORED
    if not counts:
        explore(name, value, call.inputs, lookup)
        return _IGNORED
    if issubclass(kind, Reference):
        return _reference(call, name, value._rms_ref())
    try:
        part = digest(value)
    except Undigestable as error:
        explore(name, value, call.inputs, lookup)
        call.obstacle = call.obstacle or f"{name.removeprefix('global:')}: {error}"
        return _IGNORED
    explore(name, value, call.inputs, lookup, part)
    call.digests[name] = part
    return Ext(1, part)


def _reference(call: Call, name: str, ref: Ref) -> Any:
    """Return what stands for a resource in the key: the same as for its value; for a file its path counts, too."""
    call.inputs.used.append((ref, name))
    call.inputs.wrapped.add(name)
    part = call.digests[name] = bytes.fromhex(ref.digest)
    if ref.path:
        return Ext(1, of_reference(ref))
    return ref.shown if type(ref.shown) in SCALARS and digest(ref.shown) == part else Ext(1, part)


def _concealed(call: Call, name: str, value: Any) -> Any:
    """Return what stands for a secret in the key; nothing else is found out about it."""
    try:
        call.digests[name] = digest(value)
        return Ext(5, call.conceal(call.digests[name]))
    except Undigestable as error:
        call.obstacle = call.obstacle or f"{name}: {error}"
        return _IGNORED


def _scalar(value: Any) -> Any:
    return value if _stands_for_itself(value) else Ext(1, digest(value))


def _stands_for_itself(value: Any) -> bool:
    """Whether a scalar is in the key as it is.

    Those that the record of a result holds as JSON are: only of them it is known that a resource stands for them.
    """
    kind = type(value)
    if kind is str:
        return len(value) <= _LONGEST_TEXT and (value.isascii() or is_well_formed(value))
    if kind is float:
        return math.isfinite(value)
    if kind is int:
        return bool(-BOUND <= value < BOUND)
    return kind is not bytes


def _file_argument(call: Call, name: str, value: Any, role: Role, file_identity: FileIdentity) -> tuple[Ext, Ext]:
    """Return what stands for an argument that names files, and what did formerly."""
    parts, formerly = [], []
    place = call.project.place if call.project else str
    for item, inner in _files_in(value, name):
        if issubclass(type(item), Reference):
            explore(inner, item, call.inputs, lambda _: None)
            parts.append(bytes.fromhex(item._rms_ref().digest))
        elif role == "in":
            call.read_files.append((os.fspath(item), inner))
            parts.append(_digest_or_text(file_identity(os.path.abspath(item))))
        else:
            call.written_files.append((os.fspath(item), inner))
            parts.append(digest(place(os.path.abspath(item))))
            formerly.append(digest(os.path.abspath(item)))
        formerly += parts[len(formerly) :]
    call.digests[name] = _together(parts)
    return Ext(1, call.digests[name]), Ext(1, _together(formerly))


def _together(parts: list[bytes]) -> bytes:
    return parts[0] if len(parts) == 1 else tagged("files", parts)


def _digest_or_text(identity: str) -> bytes:
    return bytes.fromhex(identity) if len(identity) == 32 else digest(identity)


def _files_in(value: Any, role: str) -> Iterator[tuple[Any, str]]:
    if isinstance(value, (str, PurePath, Reference)):
        yield value, role
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _files_in(item, f"{role}[{i}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _files_in(item, f"{role}.{key}")
