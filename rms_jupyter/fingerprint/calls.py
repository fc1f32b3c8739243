"""What makes two calls the same?

``key = digest(code version, bound arguments with defaults applied, globals read)``. Beside the key a call has a *site*:
what it is to the user, whatever the code and the contents of its inputs are now (``late(load("flights.csv"))``), so
that a call whose key is new can be compared with what it was before.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import PurePath
from typing import Any, Literal

import msgspec
from msgspec import Raw
from msgspec.msgpack import Ext
from xxhash import xxh3_64_intdigest, xxh3_128_hexdigest

from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.files import FileRule
from rms_jupyter.fingerprint.nesting import NestedInputs
from rms_jupyter.fingerprint.preview import shown
from rms_jupyter.fingerprint.project import Project
from rms_jupyter.fingerprint.references import looks_like_path
from rms_jupyter.fingerprint.settings import settings_now
from rms_jupyter.fingerprint.traced import untraced
from rms_jupyter.fingerprint.values import SCALARS, digest, register, tagged
from rms_jupyter.model import Ref, Reference
from rms_jupyter.odd_text import encoder

Role = Literal["in", "out"]
NUMBERS = frozenset({int, float, bool, type(None)})
BOUND = 1 << 63  # Of the whole numbers that JSON and the record hold.
_is_small = float(BOUND).__gt__
SECRET = "***"
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
    layout : str or None
        How arrays in its arguments and globals lay in memory before it ran; None if that was not looked at.
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
        "layout",
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
        self.layout: str | None = None
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
            self._site = xxh3_64_intdigest(pack((self.pipe_name, scalars, identities))) >> 1
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
            and NUMBERS.issuperset(map(type, values))
            and all(map(_is_small, map(abs, filter(None, values))))
        ):
            return xxh3_128_hexdigest(version.digest + _msgpack(values))
    except OverflowError:
        pass
    return ""


def plain_site(pipe_name: str, values: tuple[Any, ...]) -> int:
    """Give the site of a call that has a `plain_key`."""
    return xxh3_64_intdigest(_msgpack((pipe_name, values, []))) >> 1


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


def pack(parts: tuple[Any, ...]) -> bytes:
    """Write what stands for the arguments, for the key."""
    try:
        return _msgpack(parts)
    except (OverflowError, UnicodeEncodeError):
        return _msgpack([part if isinstance(part, Ext) else Ext(2, digest(part)) for part in parts])


def of_reference(ref: Ref) -> bytes:
    """Digest a resource: a value by its content, a file by its path, too, which is what a function is given."""
    content = bytes.fromhex(ref.digest)
    return tagged("file", [content, os.fsencode(ref.path)]) if ref.path else content


register(Reference, lambda v, walk: of_reference(v._rms_ref()), subclasses=True)
