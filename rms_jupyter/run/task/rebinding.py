"""Which names that its code refers to has a call given other values?

What its code assigns (``global count``) is an output, which a hit assigns again. Where attributes of modules and
classes have changed, or what closures hold, that is not done again: such calls run each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.fingerprint.version import MISSING, CodeVersion


class Bindings:
    """What the names that code refers to hold, before it runs.

    Names that it only assigns are taken away meanwhile, so that it can be seen whether it has done so.

    Parameters
    ----------
    version : CodeVersion
        As it was found just now.
    """

    def __init__(self, version: CodeVersion) -> None:
        self._version = version
        self._assigned = version.assigned.items()
        self._before = {
            label: namespace.get(name, MISSING) if is_read else namespace.pop(name, MISSING)
            for label, (namespace, name, is_read) in self._assigned
        }
        self._names = {(id(namespace), name) for namespace, name, _ in version.assigned.values()}
        self._all = [(namespace, dict(namespace)) for namespace in version.looked_up_by_text]

    def assigned(self) -> dict[str, Any]:
        """What was assigned, by label; `MISSING` for what was deleted. What was only taken away is put back."""
        found = {}
        for label, (namespace, name, is_read) in self._assigned:
            now, before = namespace.get(name, MISSING), self._before[label]
            if now is not MISSING or is_read:
                if not is_read or now is not before:
                    found[label] = now
            elif before is not MISSING:
                namespace[name] = before
        return found

    def changed(self, call: Call) -> str:
        """Name what else holds something else since then; '' if nothing does."""
        return next(self._changes(call), "")

    def _changes(self, call: Call) -> Iterator[str]:
        yield from filter(None, (version.changed(self._names) for version in (self._version, *call.described)))
        for read in self._version.reads:
            is_watched = (id(read.namespace), read.name) not in self._names and read.label in call.globals
            if is_watched and _is_other(call.globals[read.label], read.namespace, read.name):
                yield read.label
        for namespace, before in self._all:
            for name in before.keys() | namespace.keys():
                is_seen = (id(namespace), name) not in self._names and not str(name).startswith("__")
                if is_seen and _is_other(before.get(name, MISSING), namespace, name):
                    yield str(name)


def _is_other(before: Any, namespace: Mapping[str, Any], name: str) -> bool:
    now = namespace.get(name, MISSING)
    if now is before:
        return False
    return type(now) is not type(before) or type(before) not in SCALARS or now != before
