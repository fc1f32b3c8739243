"""How do registers and limits of Python's own library stand now, where that is not how they come?

Each is asked only by code with a word in it that tells that it may matter.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from rms_jupyter.fingerprint import registered
from rms_jupyter.fingerprint.library_options import others
from rms_jupyter.fingerprint.origin import kind_of

WORDS: dict[str, re.Pattern[str]] = {
    "types of files": re.compile(r"\bmimetypes\b"),
    "dialects of csv": re.compile(r"\bcsv\b|\bdialect\b"),
    "limits of Python": re.compile(
        r"\bget(recursionlimit|switchinterval)\b|\bget_int_max_str_digits\b|\bRecursionError\b|\bValueError\b"
    ),
    "the timeout of sockets": re.compile(r"\bsocket\b|\bgetdefaulttimeout\b"),
    "levels of loggers": re.compile(
        r"\bisEnabledFor\b|\bgetEffectiveLevel\b|\bget(Child|Logger|LevelName)\b|\.level\b"
    ),
    "the first day of the week": re.compile(r"\bcalendar\b"),
    "adapters of SQLite": re.compile(r"\bsqlite3\b|\b(to|read)_sql"),
    "ways to pickle": re.compile(r"\b(pickle|cloudpickle|joblib|deepcopy|copyreg|copy\.copy)\b"),
    "codecs": re.compile(r"\bcodecs\b|(en|de)cod|\berrors\s*="),
}

_USUAL_LEVELS = frozenset({"CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG", "NOTSET"})
_LIMITS = {"getrecursionlimit": 1000, "getswitchinterval": 0.005, "get_int_max_str_digits": 4300}


def _file_types() -> dict[str, Any]:
    mimetypes = sys.modules["mimetypes"]
    if not mimetypes.inited:
        return {}
    now, usual = mimetypes._db.types_map, _usual_types()
    if now == usual:
        return {}
    return {
        ending: now[strict].get(ending)
        for strict in (True, False)
        for ending in now[strict].keys() | usual[strict].keys()
        if now[strict].get(ending) != usual[strict].get(ending)
    }


@functools.cache
def _usual_types() -> Any:
    mimetypes = sys.modules["mimetypes"]
    return mimetypes.MimeTypes(filter(os.path.isfile, mimetypes.knownfiles)).types_map


def _dialects() -> dict[str, Any]:
    csv = sys.modules["csv"]
    found = {name: _described(csv.get_dialect(name)) for name in csv.list_dialects()}
    usual = {name: _described(getattr(csv, kind)) for name, kind in _USUAL_DIALECTS.items()}
    limit = {} if csv.field_size_limit() == 131_072 else {"": csv.field_size_limit()}
    return {name: of for name, of in found.items() if of != usual.get(name)} | limit


_USUAL_DIALECTS = {"excel": "excel", "excel-tab": "excel_tab", "unix": "unix_dialect"}
_OF_DIALECTS = "delimiter quotechar doublequote skipinitialspace lineterminator quoting escapechar strict".split()


def _described(dialect: Any) -> list[Any]:
    return [getattr(dialect, name, None) or None for name in _OF_DIALECTS]


def _limits() -> dict[str, Any]:
    return others({name: getattr(sys, name)() for name in _LIMITS}, _LIMITS)


def _levels() -> dict[str, Any]:
    logging = sys.modules["logging"]
    levels = {name: getattr(logger, "level", 0) for name, logger in logging.root.manager.loggerDict.items()}
    found = {name: level for name, level in levels.items() if level and not _is_of_a_package(name)}
    names = {f"{level} is called": name for level, name in logging._levelToName.items() if name not in _USUAL_LEVELS}
    root = {} if logging.root.level == logging.WARNING else {"": logging.root.level}
    disabled = {"disabled up to": logging.root.manager.disable} if logging.root.manager.disable else {}
    return found | names | root | disabled


def _is_of_a_package(logger: str) -> bool:
    """Whether a package may have set the level itself."""
    module = logger.partition(".")[0]
    return module in sys.modules and kind_of(module) != "user"


LOOKS: dict[str, Callable[[], dict[str, Any] | str]] = {
    "types of files": _file_types,
    "dialects of csv": _dialects,
    "limits of Python": _limits,
    "the timeout of sockets": lambda: str(sys.modules["socket"].getdefaulttimeout() or ""),
    "levels of loggers": _levels,
    "the first day of the week": lambda: str(sys.modules["calendar"].firstweekday() or ""),
    "adapters of SQLite": registered.adapters,
    "ways to pickle": registered.ways_to_pickle,
    "codecs": registered.codecs_registered,
}
