"""What stands in front of the calls of a script: what it makes, and helpers for files."""

from __future__ import annotations

import datetime
import re

from rms_jupyter.exports.recipe import Recipe

CHECK_FILES = '''\
def check_files(files):
    """Refuse files that are not as they were recorded: {path: (BLAKE3 digest, size)}."""
    try:
        from blake3 import blake3
    except ImportError:
        blake3 = None  # Then only their sizes are compared.
    problems = []
    for path, (digest, size) in files.items():
        if os.path.isdir(path):
            continue  # What is in it is not compared.
        if not os.path.isfile(path):
            problems.append(f"{path} is missing")
        elif os.path.getsize(path) != size:
            problems.append(f"{path} has {os.path.getsize(path)} bytes, not {size}")
        elif blake3 and blake3().update_mmap(path).digest(16).hex() != digest:
            problems.append(f"{path} has another content")
    if problems:
        raise RuntimeError("not as recorded: " + "; ".join(problems))
'''
LOAD_INPUT = '''\
def load_input(path):
    """Read a pickle in which names stand for what this script makes."""
    unpickler = type("Unpickler", (pickle.Unpickler,), {"persistent_load": lambda self, name: eval(name, globals())})
    with open(path, "rb") as file:
        return unpickler(file).load()
'''


def head_of(recipe: Recipe) -> str:
    """Say what a script makes, when that was made, with which packages, and what it writes."""
    root = next(step for step in recipe.steps if step.ident == recipe.root)
    when = datetime.datetime.fromtimestamp(root.task.started / 1e6, datetime.UTC) if root.task.started else None
    packages = {
        name: version
        for step in recipe.steps
        for name, version in step.pipe.parts.items()
        if re.fullmatch(r"[\w.-]+", name) and version[:1].isdigit() and not re.fullmatch("[0-9a-f]{32}", version)
    }
    expected = f", digest {recipe.expected.digest}" if recipe.expected else ""
    lines = [f"This makes {one_line(root.text)} again{expected}."]
    if when:
        lines.append(f"It was made on {when:%Y-%m-%d %H:%M} UTC.")
    if packages:
        lines.append("Packages: " + ", ".join(f"{n} {one_line(v)}" for n, v in sorted(packages.items())) + ".")
    if recipe.outputs:
        lines.append("It writes: " + ", ".join(one_line(repr(path)) for path in sorted(recipe.outputs)) + ".")
    loaded = [step for step in recipe.steps if step.problem]
    lines += [f"Not made again, but loaded: {one_line(step.text)}: {one_line(step.problem)}." for step in loaded]
    return "\n".join(lines)


def one_line(text: str) -> str:
    """Make any text fit for a comment."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
