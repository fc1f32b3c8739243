"""Has a call given the names that its code refers to other values?

What it does to objects is done again on a hit; that a name holds another object is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.fingerprint.version import MISSING, CodeVersion


class Bindings:
    """What the names that code refers to hold, before it runs.

    Parameters
    ----------
    version : CodeVersion
        As it was found just now.
    """

    def __init__(self, version: CodeVersion) -> None:
        self._version = version
        self._all = [(namespace, dict(namespace)) for namespace in version.looked_up_by_text]

    def changed(self, call: Call) -> str:
        """Name what holds something else since then; '' if nothing does."""
        return next(self._changes(call), "")

    def _changes(self, call: Call) -> Iterator[str]:
        yield from filter(None, (version.changed() for version in (self._version, *call.described)))
        for read in self._version.reads:
            if read.label in call.globals and _is_other(call.globals[read.label], read.namespace, read.name):
                yield read.label
        for namespace, before in self._all:
            yield from (str(name) for name in before.keys() ^ namespace.keys())
            yield from (name for name, value in before.items() if _is_other(value, namespace, name))


def _is_other(before: Any, namespace: Mapping[str, Any], name: str) -> bool:
    now = namespace.get(name, MISSING)
    if now is before:
        return False
    return type(now) is not type(before) or type(before) not in SCALARS or now != before
