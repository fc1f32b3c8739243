"""Which session answers when none is named?

Imports little: what a session needs is imported when one is opened or a pipe is made.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rms_jupyter.errors import CannotRecord, StoreError
from rms_jupyter.working_folder import working_folder

if TYPE_CHECKING:
    from rms_jupyter.flows.templates.template import Template
    from rms_jupyter.handles.pipe import Pipe
    from rms_jupyter.service.factory import RuleFactory
    from rms_jupyter.session import Session
    from rms_jupyter.session.front_end import FrontEnd

_OF_FILES = frozenset(
    ".arrow .bam .csv .db .duckdb .fasta .fastq .feather .gz .h5 .hdf5 .html .ipynb .jpg .json .log .md .npy .npz "
    ".parquet .pdf .pickle .pkl .png .py .r .sqlite .svg .tif .tiff .toml .tsv .txt .xls .xlsx .xml .yaml .zip".split()
)
_sessions: list[Session] = []
_templates_to_keep: list[Template] = []
_passing: list[str] = []  # Folders of stores that go with this process.
front_ends: list[Callable[[], FrontEnd]] = []  # The last one shows what sessions say that are opened from now on.


def open(
    path: str | os.PathLike[str] | None = None, read_only: bool = False, budget: int | str | None = None
) -> Session:
    """Open a store, and make it the current one.

    Parameters
    ----------
    path : path-like, optional
        The store's directory, made if it is missing; by default the nearest ``.rms`` upward from the notebook, else one
        beside it.
    read_only : bool
        Look only.
    budget : int or str, optional
        Bytes that the store may take, ``"20 GB"``: when it takes more, results are evicted, see `Session.gc`.

    Returns
    -------
    Session
        The one that is open already, if it is open.

    Raises
    ------
    StoreError
        If it cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> s = open(tempfile.mkdtemp() + "/analysis.rms")
    >>> current() is s
    True
    >>> s.close()
    """
    if path is not None:
        _refuse_odd(os.fspath(path))
    session = _open(Path(os.path.abspath(path)) if path is not None else _default(), read_only, by_itself=False)
    if budget is not None:
        session.set_budget(budget)
    return session


def current() -> Session:
    """Give the current session; opens the default store on first use."""
    _sessions[:] = [session for session in _sessions if not session.closed]
    return _sessions[-1] if _sessions else _open_by_itself(_default())


def has_current() -> bool:
    """Tell whether a session is open."""
    return any(not session.closed for session in _sessions)


def opened(path: Path | None = None) -> Session | None:
    """Give the open session on a store, the current one if none is named; None if there is none."""
    fitting = [session for session in _sessions if not session.closed and path in (None, session.path)]
    return fitting[-1] if fitting else None


def sessions() -> list[Session]:
    """Return the open sessions, the current one first."""
    return [session for session in reversed(_sessions) if not session.closed]


def pipe(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a pipe of whichever session is current when it is called.

    Parameters
    ----------
    function : callable
        Or nothing, to give options: ``@rms.pipe(outputs=["bam"])``.
    **options
        ``name, outputs, output_func, returns, volatile, deterministic, version, ignore, secret, invariants,
        allow_empty, overwrite, cores, memory, timeout, retries, isolate, temporary``.

    Raises
    ------
    RegistrationError
        If it cannot be a pipe, or an option is unknown.

    Examples
    --------
    >>> @pipe(ignore="verbose")
    ... def late(delay, cutoff=30, verbose=False):
    ...     return delay > cutoff
    >>> late.name
    'late'
    """
    from rms_jupyter.handles.pipe import Pipe
    from rms_jupyter.run.call.definition import Definition, contract_of

    if function is None:
        return lambda f: pipe(f, **options)
    output_function = options.pop("output_func", None)
    plain = function.body if isinstance(function, Pipe) else function
    made: Pipe[Any]

    def caller() -> Session:
        session = current()
        session.adopt(made)
        return session

    made = Pipe(Definition(plain, contract_of(options), output_function), caller)
    if has_current():
        current().define(made)
    return made


def rule_factory(name: str = "", **options: Any) -> RuleFactory:
    """Describe rules that are made for one series after the other, each from a context of its own.

    Parameters
    ----------
    name : str
        What its rules are called; ``{{ names }}`` of the context can be in it.
    **options
        Those of `Session.rule`.

    Raises
    ------
    RmsError
        If an option is not right.

    Examples
    --------
    >>> def measure(path): ...
    >>> factory = rule_factory("{{ series }}", files="{{ folder }}/{{ series }}_{n:03d}.tif", do=measure)
    >>> factory
    <rule factory {{ series }}>
    """
    from rms_jupyter.service.factory import RuleFactory

    return RuleFactory(name, options, current)


def template(function: Callable[..., Any]) -> Template:
    """Make a function that calls pipes a template of whichever session is current when it is used.

    Parameters
    ----------
    function : callable
        Its parameters are those of the template.

    Returns
    -------
    Template
        Called, it runs; ``.simulate(...)`` predicts its tasks, ``.defer(...)`` puts them off.

    Raises
    ------
    RmsError
        If the function has no source that could be kept.
    """
    from rms_jupyter.flows.templates.template import template_of

    made = template_of(function, current)
    if has_current():
        current().keep_template(made)
    else:
        _templates_to_keep.append(made)
    return made


def _refuse_odd(path: str) -> None:
    """Refuse what is meant for something else than a store: an address, or the name of a file that is not there."""
    if "://" in path:
        raise StoreError(
            f"a store is a folder of this machine, and {path} is an address",
            hint="open a store here, then take in what others have pushed there: %rms pull ADDRESS",
        )
    stem, suffix = os.path.splitext(path)
    if suffix.lower() in _OF_FILES and not os.path.exists(path):
        raise StoreError(
            f"there is no {path}, and a new store of that name would look like a file",
            hint=f"name a folder: %rms open {stem}.rms; files are given to pipes by their paths",
        )


def _default() -> Path:
    """The nearest store upward from the notebook; from the working directory where that is not known."""
    from rms_jupyter.store.layout import nearest

    notebook = os.environ.get("JPY_SESSION_NAME", "")
    beside = Path(notebook).parent if os.path.isabs(notebook) else Path(working_folder())
    if not os.path.isdir(beside):
        beside = Path(working_folder())
    if not beside.is_absolute():
        raise StoreError("the working directory was deleted", hint="change to another, or name a store: %rms open PATH")
    return nearest(beside)


def _open_by_itself(path: Path) -> Session:
    """Open the default store; where it may not be written, to look only, or where there is none, one for this process.

    Nobody has asked for a store, so none may hinder the user's calls.
    """
    try:
        return _open(path, False, by_itself=True)
    except CannotRecord as refused:
        from rms_jupyter.store.layout import MARKER

        is_there = os.path.exists(path / MARKER)
        if is_there:
            session = _open(path, True, by_itself=True)
        else:
            _passing.append(tempfile.mkdtemp(prefix="rms-"))
            session = _open(Path(_passing[-1], path.name), False, by_itself=True)
        meanwhile = "only looked at" if is_there else f"done without, and {session.path} goes when this process ends"
        session.place.tell(f"{refused.message}; it is {meanwhile}. To keep what is computed: %rms open PATH")
        return session


def _open(path: Path, read_only: bool, by_itself: bool) -> Session:
    for session in _sessions:
        if session.path == path and not session.closed and session.is_elsewhere:
            session.close()
    _sessions[:] = [session for session in _sessions if not session.closed]
    for session in _sessions:
        if session.path == path and session.read_only == read_only:
            _sessions.remove(session)
            _sessions.append(session)
            return session
    from rms_jupyter.session import Session

    session = Session(path, read_only, os.environ.get("JPY_SESSION_NAME", ""))
    _sessions.append(session)
    while _templates_to_keep:
        session.keep_template(_templates_to_keep.pop())
    if front_ends:
        session.talk_through(front_ends[-1]())
    session.front_end.opened(session, by_itself)
    return session


@atexit.register
def _close_all() -> None:
    for session in _sessions:
        session.close()
    for folder in _passing:
        shutil.rmtree(folder, ignore_errors=True)
