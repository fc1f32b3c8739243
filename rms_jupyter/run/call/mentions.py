"""Does what a call made mention the folder of the project?  Then it is right only as long as that lies there."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable

import msgspec

from rms_jupyter.model import ResourceRecord
from rms_jupyter.odd_text import encoder
from rms_jupyter.run.task.outputs import Made
from rms_jupyter.store.objects import Objects
from rms_jupyter.store.upkeep.holdings import is_object

_encode = encoder(msgspec.json.Encoder().encode)
_LONGEST_LOOK = 1 << 30


def mentioned(folder: str, out: Iterable[ResourceRecord], made: Made, objects: Objects) -> bool:
    """Whether values, files, prints or displays hold the text of a path; what is too long to look through does."""
    if folder == os.sep:
        return False
    spelled = _spellings(folder)
    if any(word in text for text in (made.printed.encode("utf-8", "replace"), made.shown.encode()) for word in spelled):
        return True
    if made.shown and _in_file(str(objects.path(made.shown, "json")), spelled):
        return True
    return any(_in_resource(resource, spelled, objects) for resource in out)


def _spellings(folder: str) -> tuple[bytes, ...]:
    """How a path may stand in bytes: in text, in JSON, and in arrays of text."""
    text = folder.encode("utf-8", "surrogateescape")
    odd = folder.encode("unicode-escape")
    return tuple({text, odd, *(folder.encode(code, "surrogatepass") for code in ("utf-16-le", "utf-32-le"))})


def _in_resource(resource: ResourceRecord, spelled: tuple[bytes, ...], objects: Objects) -> bool:
    if resource.path and resource.kind == "file":
        return os.path.isfile(resource.path) and _in_file(resource.path, spelled)
    if resource.format == "json":
        return any(word in _encode(resource.value) for word in spelled)
    if is_object(resource):
        return _in_file(str(objects.path(resource.digest, resource.format)), spelled)
    return any(word in resource.data for word in spelled)


def _in_file(path: str, spelled: tuple[bytes, ...]) -> bool:
    try:
        size = os.path.getsize(path)
        if not size:
            return False
        if size > _LONGEST_LOOK:
            return True
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return any(content.find(word) >= 0 for word in spelled)
    except (OSError, ValueError):
        return False
