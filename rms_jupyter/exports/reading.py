"""Which functions and classes are in a value that was recorded, and what is their code?"""

from __future__ import annotations

import base64
import contextlib
import io
import pickle
import types
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from rms_jupyter.fingerprint.origin import kind_of
from rms_jupyter.kept import arguments
from rms_jupyter.model import Piece

_pieces = msgspec.json.Decoder(dict[str, Piece]).decode


class Reader(arguments.Unpickler):
    """Reads arguments with stand-ins for resources, and notes the code of the functions and classes in them."""

    def __init__(
        self,
        data: str,
        resource: Callable[[int], Any],
        note: Callable[[Any, dict[str, Piece]], None],
        is_trusted: bool,
    ) -> None:
        super().__init__(io.BytesIO(base64.b64decode(data)), resource, is_trusted)
        self._note = note

    def find_class(self, module: str, name: str) -> Any:
        """Find what a pickle names."""
        if (module, name) != (arguments.load_code.__module__, arguments.load_code.__name__):
            return super().find_class(module, name)

        def load_and_note(*recorded: Any) -> Any:
            code = arguments.load_code(*recorded)
            self._note(code, _pieces(recorded[-1]))
            return code

        return load_and_note


class _Nowhere(io.RawIOBase):
    def write(self, data: Any) -> int:
        return len(data)


def codes_in(value: Any) -> Iterator[Any]:
    """Find the functions and classes of the user's that a value is pickled with."""
    found: dict[int, Any] = {}

    class Scan(pickle.Pickler):
        def persistent_id(self, inner: Any) -> Any:
            if isinstance(inner, (type, types.FunctionType)) and kind_of(inner.__module__) == "user":
                found[id(inner)] = inner
                return id(inner)
            return None

    with contextlib.suppress(Exception):  # What cannot be pickled again is said when it is written.
        Scan(_Nowhere(), protocol=5).dump(value)
    yield from found.values()
