"""What makes two calls the same?

``key = digest(code version, bound arguments with defaults applied, globals read)``. Beside the key a call has a *site*:
what it is to the user, whatever the code and the contents of its inputs are now (``late(load("flights.csv"))``), so
that a call whose key is new can be compared with what it was before.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, Literal

import msgspec
from msgspec import Raw
from msgspec.msgpack import Ext
from xxhash import xxh3_64_intdigest, xxh3_128_hexdigest

from rms_jupyter.fingerprint.code import CodeVersion, describe_once, described_so_far, describing_once
from rms_jupyter.fingerprint.environment import variables_named
from rms_jupyter.fingerprint.files import FileRule
from rms_jupyter.fingerprint.nesting import BEHIND, Lookup, NestedInputs, explore
from rms_jupyter.fingerprint.preview import is_well_formed, shown
from rms_jupyter.fingerprint.project import Project
from rms_jupyter.fingerprint.references import looks_like_path, names_in
from rms_jupyter.fingerprint.settings import libraries_of, settings_now, settings_with
from rms_jupyter.fingerprint.traced import untraced
from rms_jupyter.fingerprint.values import SCALARS, Undigestable, digest, register, tagged
from rms_jupyter.model import Ref, Reference
from rms_jupyter.odd_text import encoder

Role = Literal["in", "out"]
FileIdentity = Callable[[str], str]

_NUMBERS = frozenset({int, float, bool, type(None)})
_BOUND = 1 << 63
_LONGEST_TEXT = 8 * 1024
_is_small = float(_BOUND).__gt__
SECRET = "***"
_IGNORED = Ext(0, b"")
_ABSENT = Ext(3, b"")
_msgpack = msgspec.msgpack.Encoder(enc_hook=untraced).encode
_as_json = encoder(msgspec.json.Encoder(enc_hook=untraced).encode)


class Call:
    """One call, identified.

    Attributes
    ----------
    names, values : tuple
        Parameters and what is bound to them.
    globals : dict of str to object
        Plain data read from globals, by label.
    digests : dict of str to bytes
        Of each argument and, as ``global:label``, each global that counts and is no plain scalar.
    inputs : Inputs
        Resources in arguments and globals, and names that could be files.
    described : list of CodeVersion
        Of the functions and classes among its arguments and globals.
    assigned : dict
        Globals that its code assigns, see `CodeVersion`.
    read_files, written_files : list of (str, str)
        Paths made explicit by ``In`` and ``Out``, with roles.
    key : str
        32 hex digits; a random one when the call cannot be cached.
    obstacle : str
        Why it cannot be cached: which argument, and what about it.
    former_inputs_key : bytes
        As `inputs_key`, with paths in the project as they are and not by their places; empty where there are none.
    project : Project or None
        Whose files count by their places.
    version : bytes
        Digest of the code version that the key counts.
    file_rule : str
        What files count as; see `FileDigests.identity`.
    reach : object
        What its arguments and globals hold, numbered; None where they hold nothing that can be changed.
    standing : object
        Where the objects in its arguments and globals stood before it ran, and what they held; None if there are none.
    owned : dict of str to collection of int
        The ids of what each of several arguments (and globals) holds.
    secret : tuple of str
        Arguments, and globals by label, that are written and shown as ``***``.
    conceal : callable
        Gives what stands for the digest of a secret in the key: nobody else can guess the secret from that.
    expires_after : float
        Seconds after which a result does not count any more; 0 for never.
    nth : int or None
        Which of the same calls of a run it is; None for a direct call.
    as_of : int
        Which call was the latest here when it was identified; see `run.call.company`.
    """

    __slots__ = (
        "_site",
        "as_of",
        "assigned",
        "conceal",
        "described",
        "digests",
        "expires_after",
        "file_rule",
        "former_inputs_key",
        "globals",
        "inputs",
        "inputs_key",
        "key",
        "names",
        "nth",
        "obstacle",
        "owned",
        "pipe_name",
        "project",
        "reach",
        "read_files",
        "secret",
        "standing",
        "values",
        "version",
        "written_files",
    )

    is_plain = False

    def __init__(self, pipe_name: str, names: tuple[str, ...], values: tuple[Any, ...]) -> None:
        self.pipe_name, self.names, self.values = pipe_name, names, values
        self.globals: dict[str, Any] = {}
        self.digests: dict[str, bytes] = {}
        self.inputs = NestedInputs()
        self.read_files: list[tuple[str, str]] = []
        self.written_files: list[tuple[str, str]] = []
        self.key = self.obstacle = ""
        self.file_rule: FileRule = ""
        self.version = self.inputs_key = self.former_inputs_key = b""
        self.project: Project | None = None
        self.reach: Any = None
        self.standing: Any = None
        self.described: list[CodeVersion] = []
        self.assigned: dict[str, tuple[dict[str, Any], str, bool]] = {}
        self.owned: dict[str, Collection[int]] = {}
        self.nth: int | None = None
        self.as_of = 0
        self.expires_after = 0.0
        self.secret: tuple[str, ...] = ()
        self.conceal: Callable[[bytes], bytes] = bytes
        self._site = 0

    def key_under(self, version: bytes) -> str:
        """Give the key that the call would have if another code version ran."""
        return xxh3_128_hexdigest(version + self.inputs_key)

    @property
    def former_key(self) -> str:
        """The key that an earlier version gave the call, to which each path was absolute."""
        return xxh3_128_hexdigest(self.version + self.former_inputs_key)

    def count(self, what: str, pattern: str) -> None:
        """Let the key count something that is not in the digests of its arguments, if there is anything.

        Which objects they hold more than once (a function may change them), and how arrays lie in memory.
        """
        if pattern and not self.obstacle:
            self.inputs_key = tagged(what, [self.inputs_key, pattern.encode()])
            if self.former_inputs_key:
                self.former_inputs_key = tagged(what, [self.former_inputs_key, pattern.encode()])
            self.key = self.key_under(self.version)

    @property
    def site(self) -> int:
        """Digest of what the call is to the user (63 bits): scalars by value, files by path, results by their sites."""
        if not self._site:
            place = self.project.place if self.project else str
            identities = [(role, place(ref.path) if ref.path else ref.site) for ref, role in self.inputs.used]
            spelled = map(_spelled, self._open_values())
            scalars = tuple(place(value) if type(value) is str else value for value in spelled)
            self._site = xxh3_64_intdigest(_pack((self.pipe_name, scalars, identities))) >> 1
        return self._site

    def args_json(self) -> Raw:
        """The arguments as JSON, for asking."""
        return Raw(_as_json({n: shown(value) for n, value in zip(self.names, self._open_values(), strict=True)}))

    def globals_json(self) -> Raw:
        """The globals read as JSON, for asking."""
        return Raw(_as_json({n: SECRET if n in self.secret else shown(value) for n, value in self.globals.items()}))

    def _open_values(self) -> tuple[Any, ...]:
        """The values, with what stands for secret ones."""
        if not self.secret:
            return self.values
        return tuple(SECRET if n in self.secret else value for n, value in zip(self.names, self.values, strict=True))


_NOTHING: dict[str, Any] = {}
_NO_FILES: list[tuple[str, str]] = []
_NO_CODE: list[CodeVersion] = []


class PlainCall(Call):
    """A call whose arguments are all numbers, and whose code reads neither globals nor files: nothing is to be found.

    Attributes
    ----------
    is_plain : bool
    """

    __slots__ = ()
    is_plain = True
    inputs = NestedInputs()
    globals = digests = _NOTHING
    read_files = written_files = _NO_FILES
    obstacle = ""
    file_rule = ""
    former_inputs_key = b""
    project = None
    expires_after = 0.0
    secret = ()
    reach = standing = None
    described = _NO_CODE
    assigned = _NOTHING
    as_of = 0

    def __init__(
        self, pipe_name: str, names: tuple[str, ...], values: tuple[Any, ...], key: str, version: bytes
    ) -> None:
        self.pipe_name, self.names, self.values, self.key, self.version = pipe_name, names, values, key, version
        self.nth = None
        self._site = 0

    @property
    def inputs_key(self) -> bytes:  # type: ignore[override]
        """As for any call."""
        return _msgpack(self.values)

    @property
    def site(self) -> int:
        """As for any call."""
        if not self._site:
            self._site = plain_site(self.pipe_name, self.values)
        return self._site

    def args_json(self) -> Raw:
        """As for any call."""
        return Raw(_as_json(dict(zip(self.names, self.values))))  # noqa: B905 - bound to one another; `strict` costs.


def plain_key(version: CodeVersion, values: tuple[Any, ...]) -> str:
    """Give the key of a call whose arguments are all numbers, and whose code reads neither globals nor files; else ''.

    It is the same key that `identify` finds. Numbers of 64 bits and more are left out, infinite ones too: JSON cannot
    hold them all.
    """
    try:
        if (
            version.closed
            and not (version.settings and settings_now(version.settings))
            and _NUMBERS.issuperset(map(type, values))
            and all(map(_is_small, map(abs, filter(None, values))))
        ):
            return xxh3_128_hexdigest(version.digest + _msgpack(values))
    except OverflowError:
        pass
    return ""


def plain_site(pipe_name: str, values: tuple[Any, ...]) -> int:
    """Give the site of a call that has a `plain_key`."""
    return xxh3_64_intdigest(_msgpack((pipe_name, values, []))) >> 1


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
        elif type(value) in _NUMBERS and name not in ignore:
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
    call.version, call.inputs_key = version.digest, _pack(tuple(parts.now))
    call.former_inputs_key = _pack(tuple(parts.formerly)) if parts.formerly != parts.now else b""
    call.key = os.urandom(16).hex() if call.obstacle else call.key_under(version.digest)


def _settings_that_count(call: Call, version: CodeVersion) -> Iterable[str]:
    """Name the settings that a call depends on: by its code, that of functions that it is given, and its values."""
    versions = (version, *described_so_far())
    libraries = libraries_of((*call.values, *call.globals.values()))
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
        return Ext(1, _of_reference(ref))
    return ref.shown if type(ref.shown) in SCALARS and digest(ref.shown) == part else Ext(1, part)


def _concealed(call: Call, name: str, value: Any) -> Any:
    """Return what stands for a secret in the key; nothing else is found out about it."""
    try:
        call.digests[name] = digest(value)
        return Ext(5, call.conceal(call.digests[name]))
    except Undigestable as error:
        call.obstacle = call.obstacle or f"{name}: {error}"
        return _IGNORED


def _spelled(value: Any) -> Any:
    """What tells one call from another to the user: a scalar or a path; of other values nothing."""
    if issubclass(type(value), PurePath):
        value = str(value)
    return _in_one_spelling(value) if type(value) in SCALARS else None


def _in_one_spelling(value: Any) -> Any:
    """Write what looks like a path as it is from the working directory: ``./o.txt`` is ``o.txt``."""
    if type(value) is not str or not looks_like_path(value):
        return value
    try:
        inside, path = os.path.join(os.getcwd(), ""), os.path.abspath(value)
    except OSError:
        return value
    return path.removeprefix(inside)


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
        return bool(-_BOUND <= value < _BOUND)
    return kind is not bytes


def _pack(parts: tuple[Any, ...]) -> bytes:
    try:
        return _msgpack(parts)
    except (OverflowError, UnicodeEncodeError):
        return _msgpack([part if isinstance(part, Ext) else Ext(2, digest(part)) for part in parts])


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


def _of_reference(ref: Ref) -> bytes:
    """Digest a resource: a value by its content, a file by its path, too, which is what a function is given."""
    content = bytes.fromhex(ref.digest)
    return tagged("file", [content, os.fsencode(ref.path)]) if ref.path else content


register(Reference, lambda v, walk: _of_reference(v._rms_ref()), subclasses=True)
