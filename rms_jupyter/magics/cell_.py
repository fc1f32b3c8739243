"""``%%rms cell [NAME] [-i a,b] [-o c]``: the cell itself is a pipe, and runs as any other cell does.

The tree of the cell is taken before it runs. If the store answers it, only its definitions are left, and what brings
back and shows again what the rest did. If not, it stays as it is, and what it did is seen when it has ended.
"""

from __future__ import annotations

import ast
import re
import sys
from typing import Any

from IPython.display import display

from rms_jupyter import opening
from rms_jupyter.commands.cell import parser
from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.values import digest
from rms_jupyter.flows.cells.shape import CellShape, bound_by, shape_of_tree
from rms_jupyter.interrupts import unbroken
from rms_jupyter.run.task.capture import capturing
from rms_jupyter.run.task.streams import captured_here
from rms_jupyter.session import Session
from rms_jupyter.session.cell_runs import CellRun
from rms_jupyter.views.display import caption_line

_HERE = "__import__('rms_jupyter.magics.cell_', fromlist=['cell_'])"
_RANDOM_ID = re.compile(r"[0-9a-f]{8}[0-9a-f-]*")


class RunningCell:
    """The cell that runs: from the store, or as it stands.

    Parameters
    ----------
    session : Session
    run : CellRun
    shape : CellShape
    """

    def __init__(self, session: Session, run: CellRun, shape: CellShape) -> None:
        self._session, self._run, self._shape, self._cell = session, run, shape, session.place.cell
        self.is_hit = run.is_hit() and run.find()
        if not self.is_hit:
            run.start()
        self._capture()

    def is_of(self, code: str) -> bool:
        """Whether this is the cell with that text."""
        return self._cell.code == code

    def restore(self) -> None:
        """Bring back what the cell left; where that fails after all, run it."""
        __tracebackhide__ = True
        if self._run.read():
            self._run.restore()
            return
        self._run_after_all()
        _run_here(self._shape.work)

    def answer(self) -> None:
        """Show again what the cell showed."""
        if not self.is_hit:
            return
        self._end_capture()
        assert self._run.content is not None
        last = (self._run.content["last"],) if self._run.content["has_last"] else ()
        self._session.front_end.show_cell_hit(self._session, self._run.task, last)

    def before_definition(self, late: str = "") -> None:
        """Look at the process, which imports change, and at what is defined already; `late`: at variables, too."""
        self._run.look()
        if late:
            self._run.look_at_variables()

    def after_definition(self, *names: str) -> None:
        """Note what a function or class holds when it has just been made."""
        self._run.after_definition(names)

    def end(self, error: BaseException | None, last: Any) -> None:
        """Write the record of what has run."""
        if not self.is_hit:
            self._run.save_figures(self._captured)
        self._end_capture()
        if not self.is_hit:
            self._run.finish(self._captured, error, last, last is not None)

    @unbroken
    def _run_after_all(self) -> None:
        self.is_hit = False
        self._end_capture()
        self._run.start()
        self._capture()

    def _capture(self) -> None:
        self._captured = capturing(echo=not self.is_hit)
        self._captured.__enter__()
        self._is_captured = True
        if not self.is_hit:
            self._run.catch_figures(self._captured)

    @unbroken
    def _end_capture(self) -> None:
        if self._is_captured:
            self._is_captured = False
            self._captured.__exit__()


class _Current:
    """What the nodes of a rewritten cell call."""

    running: RunningCell | None = None
    error: BaseException | None = None


@unbroken
def rewritten(line: str, body: list[ast.stmt], mark: ast.stmt) -> list[ast.stmt]:
    """Return the statements that run in place of those of a cell."""
    try:
        shape = shape_of_tree(ast.Module(body, type_ignores=[]))
    except SyntaxError:
        return body  # Python says so.
    if not any(map(_does_something, shape.work)) or captured_here() is not None:
        return body
    try:
        running = _begin(line, shape)
    except Exception as error:
        _Current.error = error
        return [_call("refuse", mark)]
    if running is None:
        return body
    _Current.running = running
    if running.is_hit:
        return [*shape.first, _call("current().restore", mark), *shape.late, _call("current().answer", mark)]
    return _with_looks(body, shape)


def current() -> RunningCell:
    """Return the cell that runs."""
    assert _Current.running is not None
    return _Current.running


def refuse() -> None:
    """Raise what kept the cell from being run."""
    __tracebackhide__ = True
    error, _Current.error = _Current.error, None
    if error is not None:
        raise error


def end_cell(code: str, error: BaseException | None, last: Any) -> None:
    """End the cell that ran, if it was a pipe."""
    running = _Current.running
    if running is not None and running.is_of(code):
        _Current.running = None
        running.end(error, last)


def _begin(line: str, shape: CellShape) -> RunningCell | None:
    shell = sys.modules["IPython"].get_ipython()
    namespace = shell.user_ns
    options = parser().read_line(line, namespace)
    session = opening.current()
    if session.paused:
        return None
    name = options.name or _name_of(session, shape)
    inputs = _names(options.inputs) if options.inputs is not None else None
    outputs = _names(options.outputs) if options.outputs is not None else None
    run = CellRun(session, shape, name, namespace, f"<{name}>", inputs, outputs, shell.displayhook.quiet())
    if session.read_only and not run.is_hit():
        return None
    if not run.is_hit() and not session.can_record(f"cell {name}"):
        return None
    display(caption_line(f"{name}({', '.join(run.inputs)}) → {', '.join(run.outputs) or 'nothing'}"), raw=True)  # type: ignore[no-untyped-call]
    return RunningCell(session, run, shape)


def _run_here(work: list[ast.stmt]) -> None:
    """Run statements in the notebook's variables, and show the value of the last."""
    __tracebackhide__ = True
    shell = sys.modules["IPython"].get_ipython()
    last = work[-1].value if isinstance(work[-1], ast.Expr) else None
    exec(compile(ast.Module(work[:-1] if last else work, []), "<cell>", "exec"), shell.user_ns)
    if last is not None:
        shell.displayhook(eval(compile(ast.Expression(last), "<cell>", "eval"), shell.user_ns))


def _name_of(session: Session, shape: CellShape) -> str:
    """Name a cell by its place in the notebook; by its text, where places have no ids."""
    ident = session.place.cell.ident
    if not ident:
        ident = digest(ast.unparse(shape.tree)).hex()
    elif not _RANDOM_ID.fullmatch(ident):
        ident = digest(ident).hex()
    return "cell_" + ident.replace("-", "")[:8]


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if not name.isidentifier():
            raise RmsError(f"%%rms cell: {name!r} is not a name", hint="write them with commas between: -i a,b")
    return names


def _does_something(node: ast.stmt) -> bool:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return not isinstance(node, ast.Pass) and not is_text


def _with_looks(body: list[ast.stmt], shape: CellShape) -> list[ast.stmt]:
    """Look at the process and at what is defined around each definition: what that changes is done each time."""
    always = {id(node) for node in (*shape.first, *shape.late)}
    new: list[ast.stmt] = []
    for node in body:
        if id(node) in always:
            late = ["late"] if any(node is other for other in shape.late) else []
            new += [_call("current().before_definition", node, *late), node]
            new.append(_call("current().after_definition", node, *sorted(bound_by(node))))
        else:
            new.append(node)
    return new


def _call(what: str, place: ast.stmt, *texts: str) -> ast.stmt:
    call = ast.parse(f"{_HERE}.{what}({', '.join(map(repr, texts))})").body[0]
    for node in ast.walk(call):
        ast.copy_location(node, place)
    return call
