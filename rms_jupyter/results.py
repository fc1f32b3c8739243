"""What came of calls: of one, of many, of the last run?"""

from __future__ import annotations

from typing import Any

from rms_jupyter import opening
from rms_jupyter.errors import RmsError
from rms_jupyter.handles.done import chosen
from rms_jupyter.handles.outcomes import tabulated
from rms_jupyter.handles.resource import Resource

_LAST_RUN: Any = object()


def info(x: Any) -> Resource:
    """Find the resource behind a value: the call that gave it, its digest, its files.

    Parameters
    ----------
    x : object
        What a call gave, or an item of it; it may have been changed since, the resource is as recorded.

    Returns
    -------
    Resource
        With ``content, id, digest, task, files``.

    Raises
    ------
    RmsError
        If no call of an open session gave this very object.

    Examples
    --------
    >>> import rms_jupyter as rms, tempfile
    >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
    >>> @s.pipe
    ... def total(xs):
    ...     return sum(xs)
    >>> rms.info(total([1, 2])).task.call
    'total([1, 2])'
    >>> s.close()
    """
    if (found := _behind(x)) is not None:
        return found
    raise RmsError(
        f"no resource is known behind this {type(x).__name__}",
        hint="name what a call of a pipe gave; None, True and short text carry none: "
        "rms.table() lists the calls of the last run",
    )


def done(rs: Any = _LAST_RUN) -> Any:
    """Give the results of the calls that succeeded, in order; what runs in the background is waited for.

    A call that takes them is another call than one that takes all; its arguments and its lineage say what was left out.

    Parameters
    ----------
    rs : list or dict, optional
        Results and placeholders of a plan that has run, nested as you like; of a tuple, all or none is taken.
        Without it, the calls of the last run.

    Returns
    -------
    Done or DoneByName
        A list (a dict, if `rs` is one). Its ``left_out`` has the other calls, in words.

    Raises
    ------
    NotComputedYet
        If nothing of the plan has run.

    Examples
    --------
    >>> import rms_jupyter as rms, tempfile
    >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
    >>> @s.pipe
    ... def inverse(x):
    ...     return 1 / x
    >>> with s.plan() as plan:
    ...     rs = [inverse(x) for x in (1, 0, 2)]
    >>> try:
    ...     plan.run(n_jobs=1)
    ... except rms.PlanFailed:
    ...     print(rms.done(rs))
    <2 of 3, left out: inverse(0)>
    >>> s.close()
    """
    return chosen(_of_last_run() if rs is _LAST_RUN else rs, _is_result)


def table(rs: Any = _LAST_RUN) -> Any:
    """Show what came of calls: a row a call. Never raises.

    Parameters
    ----------
    rs : list or dict, optional
        Results, placeholders of a plan (failed, or not yet run) and plain values, nested as you like. Without it,
        the calls of the last run.

    Returns
    -------
    pandas.DataFrame or list of dict
        The arguments by their names (one named as a column below has ``args.`` before it; what came from a call is
        named by it), ``pipe`` if there are several, ``origin`` (the call that a chain began with, if one has a chain),
        ``status``, ``seconds``, ``value`` (a scalar, else a preview; scalars that a dict, dataclass, named tuple or
        series holds by name have columns of their own), ``error`` (also of what could not run for another one's),
        ``id`` (a short one, of the task; of what no call has made, its own); a list where pandas is not installed.

    Examples
    --------
    >>> import rms_jupyter as rms, tempfile
    >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
    >>> @s.pipe
    ... def half(x):
    ...     return x / 2
    >>> rms.table([half(1), half(3)])[["x", "status", "value"]]
       x status  value
    0  1   done    0.5
    1  3   done    1.5
    >>> s.close()
    """
    return tabulated(_of_last_run() if rs is _LAST_RUN else rs, _behind)


def _behind(value: Any) -> Resource | None:
    for session in opening.sessions():
        if (found := session.home.behind(value)) is not None:
            resource: Resource = found
            return resource
    return None


def _is_result(value: Any) -> bool:
    return any(session.home.tracker.lookup(value) is not None for session in opening.sessions())


def _of_last_run() -> list[Any]:
    return opening.current().last_run()
