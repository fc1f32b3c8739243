"""What are segments, their versions and their tasks called, in pipes and in folders?"""

from __future__ import annotations

import itertools
import keyword
import re
import unicodedata
import uuid
from collections.abc import Iterator
from typing import Any

from rms_jupyter.fingerprint.values import SCALARS, Undigestable, digest

_LONGEST = 40


def prefixes(name: str) -> Iterator[str]:
    """Yield a name, and what is left of it without its last letter, the last two, and so on.

    Examples
    --------
    >>> list(prefixes("seg"))
    ['seg', 'se', 's']
    """
    return (name[:end] for end in range(len(name), 0, -1))


def identifier_of(name: str) -> str:
    """Return what a segment is called in Python.

    Examples
    --------
    >>> identifier_of("fit 2-d"), identifier_of("2d"), identifier_of("class")
    ('fit_2_d', '_2d', 'class_')
    """
    text = re.sub(r"\W", "_", unicodedata.normalize("NFKC", name)) or "_"
    text = f"_{text}" if not text.isidentifier() else text
    return f"{text}_" if keyword.iskeyword(text) else text


def folder_of(name: str) -> str:
    """Return what a name is as a part of a path: it names no other folder.

    Examples
    --------
    >>> folder_of("../etc"), folder_of("Lancelot the Brave")
    ('etc', 'Lancelot-the-Brave')
    """
    return re.sub(r"[^\w.+=-]+", "-", name).strip("-.")[:_LONGEST] or "-"


def task_folder(inputs: dict[str, Any], files: Any) -> str:
    """Return what the folder of a task is called: by its inputs, in words as far as they have some.

    Examples
    --------
    >>> task_folder({}, ()), task_folder({"img": 3}, ())
    ('task', '3_6ad21ea0')
    """
    if not inputs and not files:
        return "task"
    try:
        unique = digest((sorted(inputs), [inputs[name] for name in sorted(inputs)], files)).hex()
    except Undigestable:
        unique = uuid.uuid4().hex
    words = [folder_of(word) for value in inputs.values() for word in _words(value)]
    return "_".join([*filter(None, ["_".join(words)[:_LONGEST]]), unique[:8]])


def _words(value: Any) -> list[str]:
    """What numbers and texts a value is, or holds in itself."""
    held = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else [value]
    return [str(one)[:_LONGEST] for one in itertools.islice(held, 5) if type(one) in SCALARS and one is not None]
