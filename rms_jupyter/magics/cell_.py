"""``%%rms cell [NAME] [-i a,b] [-o c]``: the cell itself is a pipe; plain values before and after."""

from __future__ import annotations

import ast
from typing import Any

from IPython.display import display

from rms_jupyter import opening
from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.flows.cells import CellShape, function_of, inputs_of, shape_of
from rms_jupyter.handles.display import caption_line
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%%rms cell")
    parser.add_argument("name", nargs="?", default="", metavar="NAME")
    parser.add_argument("-i", "--inputs", metavar="A,B")
    parser.add_argument("-o", "--outputs", metavar="C,D")
    return parser


def cell(magics: RMSMagics, rest: str, body: str) -> None:
    """Answer the cell from the store, or run it; then its names hold their values."""
    __tracebackhide__ = True
    shell, namespace = magics.host, magics.namespace
    options = parse(parser(), rest, namespace)
    source = shell.transform_cell("\n" + body)
    shape = shape_of(source)
    filename = shell.compile.cache(source, shell.execution_count)
    _run_first(shape, namespace, filename)
    inputs = _names(options.inputs) if options.inputs is not None else inputs_of(shape, namespace)
    outputs = _names(options.outputs) if options.outputs is not None else shape.writes
    for name in inputs:
        if name not in namespace:
            raise RmsError(f"%%rms cell: there is no variable {name}", hint="define it, or leave it out of -i")
    name = options.name or "_".join(["cell", *outputs[:3]])
    session = opening.current()
    pipe = session.register_pipe(function_of(shape, name, inputs, outputs, namespace, filename), name=name)
    display(caption_line(f"{name}({', '.join(inputs)}) → {', '.join(outputs) or 'nothing'}"), raw=True)  # type: ignore[no-untyped-call]
    result = pipe(*[namespace[name] for name in inputs])
    task = result.task
    if task.hit and task.printed:
        print(task.printed, end="")
    namespace.update(unwrap(result.content))


def _run_first(shape: CellShape, namespace: dict[str, Any], filename: str) -> None:
    if shape.first:
        exec(compile(ast.Module(shape.first, type_ignores=[]), filename, "exec"), namespace)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if not name.isidentifier():
            raise RmsError(f"%%rms cell: {name!r} is not a name", hint="write them with commas between: -i a,b")
    return names
