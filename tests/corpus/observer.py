"""What is in a kernel's namespace, and how does its process stand?  Runs in the kernel; knows nothing of rms but two names."""

import json
import os
import re
import sys
import types
from pathlib import Path

from IPython import get_ipython

from tests.corpus.description import ADDRESS, SHARED, Description, digest, of_module, unwrapped

OWN_VARIABLES = ("JPY_PARENT_PID", "JPY_SESSION_NAME", "PYTHONHASHSEED", "KMP_", "RMS_")
before = {"names": set(), "folder": Path()}


def begin():
    """Note what there is before the notebook runs."""
    before.update(names=set(get_ipython().user_ns), folder=Path.cwd())


def write(target):
    """Write down all that has come since."""
    Path(target).write_text(json.dumps(observe(get_ipython().user_ns), default=str))


def observe(namespace):
    """Describe all names of the notebook and the process state; say which places hold the same object."""
    names = [n for n in namespace if is_of_the_notebook(n) and n not in before["names"]]
    values = {name: namespace[name] for name in names}
    seen = {name: view(value, namespace) for name, value in values.items()}
    for name, value in state(namespace).items():
        seen[f"({name})"] = view(value, namespace)
    return seen, aliases(values)


def is_of_the_notebook(name):
    """Whether a name is the user's, and not the history of IPython."""
    return not re.fullmatch(r"_+|_(i+|ih|oh|dh|i?\d+)|__\w+__|In|Out|exit|quit|open|get_ipython", name)


def view(value, namespace):
    """Describe a value: its type, how it looks, its size, and its whole structure."""
    described = Description(namespace).of(unwrapped(value))
    try:
        shown = ADDRESS.sub("0x…", repr(value))
    except BaseException as error:
        shown = f"repr raises {type(error).__name__}: {error}"
    size = getattr(value, "shape", None)
    return {
        "type": described[0] if isinstance(described, list) else str(described),
        "shown": shown[:300],
        "size": repr(size) if isinstance(size, tuple) else "",
        "all": described,
    }


def aliases(values):
    """Find which names and places in containers hold the same object, or share memory."""
    places, entered = {}, set()
    for name, value in sorted(values.items()):
        for path, held in reachable(name, unwrapped(value), entered):
            if not isinstance(held, (*SHARED, tuple, frozenset, types.ModuleType, type, types.FunctionType, Path)):
                places.setdefault(id(held), []).append(path)
    groups = [sorted(paths) for paths in places.values() if len(paths) > 1]
    return sorted(groups)[:2000]


def reachable(path, value, entered, depth=0):
    """Go through what a container or an object of the notebook holds, to a depth of three, each once."""
    yield path, value
    if depth == 3 or id(value) in entered:
        return
    entered.add(id(value))
    if isinstance(value, dict) and len(value) <= 500:
        items = [(f"{path}[{key!r}]", item) for key, item in value.items() if isinstance(key, SHARED)]
    elif isinstance(value, list | tuple) and len(value) <= 500:
        items = [(f"{path}[{i}]", item) for i, item in enumerate(value)]
    elif type(value).__module__ == "__main__" and isinstance(getattr(value, "__dict__", None), dict):
        items = [(f"{path}.{key}", item) for key, item in vars(value).items()]
    elif of_module("numpy.ndarray")(value) and of_module("numpy.ndarray")(value.base):
        items = [(f"memory of {path}", value.base)]
    else:
        items = []
    for inner, item in items:
        yield from reachable(inner, unwrapped(item), entered, depth + 1)


def state(namespace):
    """Collect the state of the process, and the notebook's history, that later cells may see."""
    import random

    found = {
        "cwd": os.getcwd(),
        "os.environ": {k: v for k, v in sorted(os.environ.items()) if not k.startswith(OWN_VARIABLES)},
        "sys.path": list(sys.path),
        "random": digest(repr(random.getstate()).encode()),
        "warnings": {kind.__name__: done_with(kind) for kind in (UserWarning, RuntimeWarning, DeprecationWarning)},
        "files": files(),
        "recursion limit": sys.getrecursionlimit(),
    }
    found |= {f"Out[{number}]": value for number, value in namespace.get("Out", {}).items()}
    found |= {name: namespace[name] for name in ("_", "__", "___") if name in namespace}
    if logging := sys.modules.get("logging"):
        found["logging"] = [logging.getLogger().level, len(logging.getLogger().handlers)]
    if numpy := sys.modules.get("numpy"):
        found["numpy.random"] = digest(repr(numpy.random.get_state()).encode())
        found["numpy options"] = [str(numpy.get_printoptions()), str(numpy.geterr())]
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        found["rcParams"] = {k: str(v) for k, v in pyplot.rcParams.items()}
        found["open figures"] = pyplot.get_fignums()
    if pandas := sys.modules.get("pandas"):
        found["pandas options"] = repr(pandas.options.d) if hasattr(pandas.options, "d") else ""
    return found


def done_with(category):
    """Find what is done with a warning of the notebook; packages add filters of their own when they are imported."""
    import warnings

    for action, message, kind, module, line in warnings.filters:
        matches = all(
            pattern is None or re.match(pattern, text) for pattern, text in ((message, "?"), (module, "__main__"))
        )
        if matches and issubclass(category, kind) and line in (0, 1):
            return action
    return warnings.defaultaction


def files():
    """Digest the files of the notebook's folder, and name its folders."""
    found, folder = {}, before["folder"]
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if parts[0] in (".rms", ".ipython") or parts[0].startswith(".kernel") or "__pycache__" in parts:
            continue
        found["/".join(parts)] = digest(path.read_bytes()) if path.is_file() else "folder"
    return found
