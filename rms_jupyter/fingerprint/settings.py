"""Which settings of libraries, and of the process, does code depend on, and how are they now?

Only what differs from how a library comes counts, so that a notebook that sets nothing has the keys of one that cannot.
How numbers are printed counts for code that may put some into text.
"""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rms_jupyter.working_folder import working_folder

_MAKES_TEXT = re.compile(
    r"\b(print|str|repr|format|ascii|array2string|array_str|array_repr|to_string|to_html|to_latex|display|warn)\b"
    r"|\blog(ger|ging)?\.|\b[fF][rR]?['\"]|['\"]\s*%"
)
_NAMES_FOLDER = re.compile(r"\bgetcwd\b|\.cwd\(|\babspath\b|\.resolve\(|\.absolute\(")
_NAMES_DECIMAL = re.compile(r"\b[dD]ecimal\b")

_NUMPY_PRINTS = {
    "edgeitems": 3,
    "threshold": 1000,
    "floatmode": "maxprec",
    "precision": 8,
    "suppress": False,
    "linewidth": 75,
    "nanstr": "nan",
    "infstr": "inf",
    "sign": "-",
}
_NUMPY_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
_OF_THE_SCREEN = ("backend", "backend_fallback", "interactive", "toolbar", "webagg.", "savefig.directory")


def settings_of(packages: Iterable[str], sources: Iterable[str]) -> tuple[str, ...]:
    """Name the settings that code depends on, by the packages that it refers to and its text.

    Examples
    --------
    >>> settings_of({"numpy"}, ["lambda x: np.log1p(x)"])
    ('how numpy treats errors',)
    """
    there, text = set(packages), "\n".join(sources)
    makes_text = _MAKES_TEXT.search(text) is not None
    found = {
        "how numpy treats errors": "numpy" in there,
        "how numpy prints": "numpy" in there and makes_text,
        "options of pandas": "pandas" in there,
        "how pandas prints": "pandas" in there and makes_text,
        "rcParams of matplotlib": "matplotlib" in there,
        "the context of decimal": _NAMES_DECIMAL.search(text) is not None,
        "the working directory": _NAMES_FOLDER.search(text) is not None,
    }
    return tuple(name for name, counts in found.items() if counts)


def settings_now(names: Iterable[str]) -> dict[str, str]:
    """Say how settings are now, where that is not how they come."""
    found = {}
    for name in names:
        try:
            other = _LOOKS[name]()
        except Exception:
            continue  # A library of another version: it is not looked at.
        if other:
            found[name] = other if isinstance(other, str) else repr(sorted(other.items()))
    return found


def _others(now: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    return {name: now[name] for name, value in usual.items() if name in now and now[name] != value}


def _numpy_prints() -> dict[str, Any]:
    now = sys.modules["numpy"].get_printoptions()
    formatter = {"formatter": sorted(now["formatter"])} if now.get("formatter") else {}
    return _others(now, _NUMPY_PRINTS) | formatter


class _Remembered:
    """What was found of settings that take long to go through, as long as they stay the same."""

    def __init__(self, settings: Callable[[], Any], find: Callable[[Any], dict[str, Any]]) -> None:
        self._settings, self._find = settings, find
        self._seen: Any = None
        self._found: dict[str, Any] = {}

    def __call__(self) -> dict[str, Any]:
        now = self._settings()
        if now != self._seen:
            self._seen, self._found = copy.deepcopy(now), self._find(now)
        return self._found


def _other_options(_: Any) -> dict[str, Any]:
    config = sys.modules["pandas._config.config"]
    registered = config._registered_options
    now = {name: config.get_option(name) for name in registered if name not in config._deprecated_options}
    return {name: value for name, value in now.items() if value != registered[name].defval}


_pandas = _Remembered(lambda: sys.modules["pandas._config.config"]._global_config, _other_options)


def _options_of_pandas(of_display: bool) -> dict[str, Any]:
    return {name: value for name, value in _pandas().items() if name.startswith("display.") == of_display}


def _other_rc(now: dict[str, Any]) -> dict[str, Any]:
    usual = sys.modules["matplotlib"].rcParamsDefault
    return {
        name: value
        for name, value in now.items()
        if not name.startswith(_OF_THE_SCREEN) and value != dict.get(usual, name)
    }


_matplotlib = _Remembered(lambda: dict(dict.items(sys.modules["matplotlib"].rcParams)), _other_rc)


def _decimal() -> str:
    now = sys.modules["decimal"].getcontext()
    traps = sorted(kind.__name__ for kind, is_set in now.traps.items() if is_set)
    found = (now.prec, now.rounding, now.Emin, now.Emax, now.capitals, now.clamp, traps)
    usual = (28, "ROUND_HALF_EVEN", -999999, 999999, 1, 0, ["DivisionByZero", "InvalidOperation", "Overflow"])
    return "" if found == usual else repr(found)


_LOOKS: dict[str, Callable[[], dict[str, Any] | str]] = {
    "how numpy treats errors": lambda: _others(sys.modules["numpy"].geterr(), _NUMPY_ERRORS),
    "how numpy prints": _numpy_prints,
    "options of pandas": lambda: _options_of_pandas(of_display=False),
    "how pandas prints": lambda: _options_of_pandas(of_display=True),
    "rcParams of matplotlib": _matplotlib,
    "the context of decimal": _decimal,
    "the working directory": working_folder,
}
