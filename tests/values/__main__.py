"""Digests each value as it is made, used, copied, pickled, and kept and restored; prints them as JSON."""

import copy
import functools
import inspect
import io
import itertools
import json
import operator
import pickle
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import cloudpickle

from rms_jupyter.fingerprint.code import describe
from rms_jupyter.fingerprint.values import Undigestable, digest
from rms_jupyter.store import content
from rms_jupyter.store.objects import Objects
from tests.values import Make, table

_LAZY = (property, functools.cached_property, type(pickle.Pickler.memo))


def use(value: Any) -> None:
    """Do with a value what may fill its caches; it may refuse any of it."""
    for act in (
        repr,
        str,
        hash,
        len,
        bool,
        first_items,
        dir,
        lambda v: v == v,
        operator.index,
        pickle.dumps,
        copy.copy,
    ):
        attempt(act, value)
    for name in dir(type(value)):
        if not name.startswith("_") and isinstance(inspect.getattr_static(type(value), name, None), _LAZY):
            attempt(getattr, value, name)


def first_items(value: Any) -> list[Any]:
    """List some of the items of a value."""
    return [] if isinstance(value, io.IOBase) else list(itertools.islice(iter(value), 50))


def attempt(act: Any, *args: Any) -> Any:
    """Do something that may fail."""
    try:
        return act(*args)
    except Exception:
        return None


def digests(make: Make, objects: Objects) -> dict[str, str]:
    """Digest what `make` gives in every state."""
    value = make()
    found = {"made": digest(value).hex(), "made again": digest(make()).hex()}
    use(value)
    found["used"] = digest(value).hex()
    for name, copied in {
        "copied": lambda: copy.deepcopy(value),
        "pickled": lambda: pickle.loads(pickle.dumps(value, 5)),
        "sent": lambda: pickle.loads(cloudpickle.dumps(value)),
    }.items():
        if (other := attempt(copied)) is not None:
            found[name] = digest(other).hex()
    try:
        kept = content.keep(value, found["used"], objects, verify=True)
    except content.Unpicklable as error:
        found["not kept"] = str(error)
    else:
        found["restored"] = digest(content.restore(kept, objects)).hex()
    return found


def main() -> None:
    """Digest all."""
    warnings.simplefilter("ignore")
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        objects = Objects(Path(folder))
        for name in sys.argv[1:] or ("VALUES", "NOT_COPIED", "NOT_KEPT", "NO_DIGEST"):
            for text, make in table(name).items():
                try:
                    results[text] = digests(make, objects)
                except Undigestable as error:
                    results[text] = {"refused": str(error)}
                except Exception as error:
                    results[text] = {"error": repr(error)}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
