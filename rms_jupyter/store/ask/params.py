"""Which parameters went into something, and in how many calls has each its value?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from rms_jupyter.store.ask.database import sql_text

if TYPE_CHECKING:
    from rms_jupyter.store.store import Store


def params_of(store: Store, root: int, down: bool = False, depth: int | None = None) -> list[dict[str, Any]]:
    """List the parameters of the calls that a node was made by, what varies first.

    Parameters
    ----------
    store : Store
    root : int
        Id of a task or resource.
    down : bool
        Those of the calls that were made from it, too.
    depth : int, optional
        At most so many calls away.

    Returns
    -------
    list of dict
        One a distinct value: ``parameter, value, pipe, calls``.
    """
    parameters = {"root": root, "down": down, "most": None if depth is None else 2 * depth}
    return [
        {"parameter": name, "value": msgspec.json.decode(value), "pipe": pipe, "calls": calls}
        for name, value, pipe, calls in store.fetch(sql_text("queries/story_params.sql"), parameters)
    ]
