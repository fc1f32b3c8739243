"""What did a task show, message by message, and how is that kept?

A message is a list, its kind first: ``stdout`` and ``stderr`` with text; ``display`` and ``update`` with a mime
bundle, its metadata and the id of the display; ``figure`` with those of one that was left open; ``clear`` (wait?);
``result`` with a bundle and its metadata; ``log`` and ``warning`` with what `said` keeps of a log record and of a
warning; ``basicConfig`` where the root logger is given a handler if it has none.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rms_jupyter.fingerprint.values import digest
from rms_jupyter.run.task.capture import Bundle
from rms_jupyter.run.task.messages import Message
from rms_jupyter.store.objects import Objects
from rms_jupyter.store.seals import DamagedObject

WITH_BUNDLE = ("display", "figure", "update", "result")


def keep_messages(objects: Objects, messages: Sequence[Message]) -> str:
    """Keep what a task showed; return the name of the object."""
    data = json.dumps(messages, default=_as_text).encode()
    name = digest(data).hex()
    objects.put(name, "json", lambda path: _write(path, data))
    return name


def load_messages(objects: Objects, name: str) -> list[Message]:
    """Read messages back; none when they are gone or damaged."""
    try:
        objects.bring(f"{name}.json")
        messages: list[Any] = json.loads(objects.content(name, "json"))
    except (OSError, ValueError, DamagedObject):
        return []
    return [["display", found, {}, ""] if isinstance(found, dict) else found for found in messages]


def load_displays(objects: Objects, name: str) -> list[Bundle]:
    """Read the mime bundles among the messages back."""
    return [message[1] for message in load_messages(objects, name) if message[0] in WITH_BUNDLE]


def shows(messages: Sequence[Message]) -> bool:
    """Whether there is something to be seen for certain: log records may go nowhere."""
    return any(message[0] not in ("log", "basicConfig") for message in messages)


def _as_text(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
