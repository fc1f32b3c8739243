"""What does the user mean by WHAT?  A variable or item of it, a file, a pipe, an id, or the beginning of a digest."""

from __future__ import annotations

import ast
import difflib
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import ITEM
from rms_jupyter.commands.searching import BEGIN, pipes_on_record
from rms_jupyter.errors import RmsError
from rms_jupyter.naming import is_short_id, short_id

if TYPE_CHECKING:
    from rms_jupyter.handles.pipe import Pipe
    from rms_jupyter.session import Session

_LONGEST = 200
WHAT = "a variable, a file, a pipe, an id, or the beginning of a digest"


def ident_of(session: Session, what: str, namespace: Mapping[str, Any], copies: bool = True) -> int:
    """Find the id of a task or resource.

    Parameters
    ----------
    session : Session
    what : str
        As typed.
    namespace : mapping
        The notebook's variables.
    copies : bool
        Whether a file that is not on record stands for the one that it is a copy of.

    Raises
    ------
    RmsError
        If nothing fits, or several do; with the nearest names.
    """
    if not what:
        raise RmsError("WHAT is missing", hint=f"write {WHAT}")
    value = named_in(namespace, what)
    if value is not None:
        _refuse_container(session, what, value)
        return session.ident(value)
    if what.isdigit() and int(what) >> 32:
        return int(what)
    if is_short_id(what) and (meant := _by_short_id(session, what)):
        return meant
    found = session.find_file(what)
    if found is not None:
        return found
    latest = session.latest_task(what)
    if latest:
        return latest
    if re.fullmatch(r"#?[0-9a-f]{4,32}", what):
        return _by_digest(session, what.lstrip("#"))
    if made_it := session.task_of_script(what):
        return made_it
    if os.path.exists(what):
        if copies and (found := session.task_of_figure(what) or session.find_copied(what)):
            return found
        raise RmsError(f"the file {what} is not on record", hint=f"put it there: rms.current().register_file({what!r})")
    known = {name: None for name in (*session.pipes, *namespace) if not name.startswith("_")}
    near = difflib.get_close_matches(what, known, 3)
    search = "search for it: %rms tasks WORDS, %rms files WORDS" if pipes_on_record(session) else BEGIN
    hint = f"did you mean {' or '.join(near)}?" if near else search
    raise RmsError(f"nothing is called {what[:_LONGEST]!r}", hint=hint)


def value_or_ident(session: Session, what: str, namespace: Mapping[str, Any]) -> Any:
    """Return the variable itself where that says more than an id: how it came here, which part of a result it is."""
    value = named_in(namespace, what)
    return value if _is_result(session, value) else ident_of(session, what, namespace)


def pipe_or_ident(session: Session, what: str, namespace: Mapping[str, Any]) -> Pipe[Any] | str | int:
    """Return a pipe or its name, where that is meant, else the id of a task or resource; no copies of files."""
    from rms_jupyter.handles.pipe import Pipe

    named = namespace.get(what, what)
    is_pipe = isinstance(named, Pipe) or session.is_pipe(named)
    return named if is_pipe else ident_of(session, what, namespace, copies=False)


def named_in(namespace: Mapping[str, Any], what: str) -> Any:
    """Return the variable, or an item of it, that a text names, else None.

    Examples
    --------
    >>> namespace = {"rs": [3, 4], "fits": {"s_1": [5], ("ridge", 0.1): 6}}
    >>> [named_in(namespace, what) for what in ("rs[-1]", "fits[s_1][0]", "fits['ridge', 0.1]", "other")]
    [4, 5, 6, None]
    """
    found = re.fullmatch(rf"([^\W\d]\w*)((?:{ITEM})*)", what)
    if found is None or found[1] not in namespace:
        return None
    value = namespace[found[1]]
    for item in re.findall(ITEM, found[2]):
        try:
            value = _item(value, item[1:-1])
        except (LookupError, TypeError) as error:
            raise RmsError(f"{what}: {found[1]} has no item {item}", hint="check the index") from error
    return value


def _refuse_container(session: Session, what: str, value: Any) -> None:
    """Name an item to ask about, where a variable is no result and holds some."""
    if type(value) not in (list, tuple, dict) or _is_result(session, value):
        return
    items = value.items() if type(value) is dict else enumerate(value)
    for key, item in items:
        if _is_result(session, item):
            raise RmsError(f"{what} is no result, it holds some", hint=f"ask about one of them: {what}[{key!r}]")


def _is_result(session: Session, value: Any) -> bool:
    from rms_jupyter.handles.resource import Resource

    return isinstance(value, Resource) or session.home.tracker.lookup(value) is not None


def _item(value: Any, text: str) -> Any:
    try:
        return value[ast.literal_eval(text.strip())]
    except (ValueError, SyntaxError, LookupError, TypeError):
        return value[text]


def _by_short_id(session: Session, what: str) -> int:
    found = session.ids_called(what)
    if len(found) > 1:
        longer = ", ".join(short_id(ident, 16) for ident in found[:5])
        raise RmsError(f"{len(found)} ids begin with {what}", hint=f"give more of it: {longer}")
    return found[0] if found else 0


def _by_digest(session: Session, prefix: str) -> int:
    rows = session.sql(
        "SELECT max(id), digest FROM resources WHERE starts_with(digest, $1) GROUP BY digest UNION "
        "SELECT max(id), key FROM tasks WHERE starts_with(key, $1) GROUP BY key",
        [prefix],
    ).fetchall()
    if not rows:
        raise RmsError(f"no digest begins with {prefix}", hint="search: %rms files WORDS")
    if len(rows) > 1:
        raise RmsError(f"{len(rows)} digests begin with {prefix}", hint="give more of it")
    ident: int = rows[0][0]
    return ident
