"""Which settings of libraries, and of the process, does code depend on, and how are they now?

Only what differs from how a library comes counts, so that a notebook that sets nothing has the keys of one that cannot.
How numbers are printed counts for code that may put some into text. What libraries code works with is told by what it
refers to, and by what it is given: ``lambda ratio: 1 / ratio`` divides as NumPy is told to, where `ratio` is an array.
"""

from __future__ import annotations

import copy
import locale
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from rms_jupyter.fingerprint import library_options, options_of_python
from rms_jupyter.fingerprint.library_options import others
from rms_jupyter.fingerprint.remembered import library_of
from rms_jupyter.fingerprint.values import SCALARS, digest
from rms_jupyter.working_folder import working_folder

_MAKES_TEXT = re.compile(
    r"\b(print|str|repr|format|ascii|array2string|array_str|array_repr|to_string|to_html|to_latex|display|warn)\b"
    r"|\blog(ger|ging)?\.|\b[fF][rR]?['\"]|['\"]\s*%"
)
_NAMES_FOLDER = re.compile(r"\bgetcwd\b|\.cwd\(|\babspath\b|\.resolve\(|\.absolute\(")
_NAMES_LOCALE = re.compile(r"\blocale\b|\bstr[fp]time\b|:[^{}'\"]*n\}")
_DRAWS = re.compile(r"\.(plot|hist|boxplot)\b|\bseaborn\b|\bsns\b")
_NAMES_ARGUMENTS = re.compile(r"\bargv\b|\bparse_(known_)?args\(\s*\)")
_GOES_THROUGH_ENVIRONMENT = re.compile(
    r"\benviron\b(?!\s*\[|\s*\.\s*(get|pop|setdefault|__getitem__|__contains__)\b)(?<![\"'] in os.environ)"
    r"(?<![\"'] in environ)(?<!\bimport environ)"
)
_STARTS_PROGRAM = re.compile(
    r"\b(subprocess|Popen|check_output|check_call|getoutput|popen)\b|\bos\.(system|spawn\w+|exec\w+)\("
)
_ASKS_NO_VARIABLES = re.compile(  # But those that the command names, which are inputs anyway.
    r"\b(subprocess\.|os\.)?(getoutput|system|popen)\(\s*[\"'](echo|cat|ls|wc|sort|head|tail|grep|cut)\b[^|;&()`\"']*[\"']"
)

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
    "legacy": False,
    "override_repr": None,
}
_NUMPY_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
_FIRST = 20
_OF_NUMPY = ("how numpy treats errors", "how numpy prints")
_OF_LIBRARIES = {
    "numpy": _OF_NUMPY,
    "pandas": ("options of pandas", "how pandas prints", *_OF_NUMPY),
    "matplotlib": ("rcParams of matplotlib", "colormaps of matplotlib"),
    "decimal": ("the context of decimal",),
    **library_options.OPTIONS,
}
_OF_TEXT = ("how numpy prints", "how pandas prints", *library_options.IN_TEXT)
_CONTAINERS: tuple[Any, ...] = (dict, list, tuple, set, frozenset)
_VARIABLES_AT_FIRST, _ARGUMENTS_AT_FIRST = dict(os.environ), list(sys.argv)
_SET_BY_LIBRARIES = ("KMP_",)  # When scikit-learn is imported.
_OF_THE_SCREEN = ("backend", "backend_fallback", "interactive", "toolbar", "webagg.", "savefig.directory")


def settings_of(parts: Mapping[str, str], sources: Iterable[str]) -> tuple[str, ...]:
    """Name the settings that code depends on, by what it refers to and its text.

    Parameters
    ----------
    parts : mapping of str to str
        Packages with their versions; names, and what they stand for in Python's own library.
    sources : iterable of str

    Examples
    --------
    >>> settings_of({"numpy": "2.0", "D": "decimal.Decimal"}, ["lambda x: np.log1p(x) * D(1)"])
    ('how numpy treats errors', 'the context of decimal')
    """
    text = "\n".join(sources)
    libraries = _OF_LIBRARIES.keys() & parts.keys()
    if _DRAWS.search(text):
        libraries.add("matplotlib")
    if any(of.startswith(("decimal.", "_decimal.")) or of == "decimal" for of in parts.values()) or "decimal" in text:
        libraries.add("decimal")
    found = {
        "the locale": _NAMES_LOCALE.search(text) is not None,
        "the working directory": _NAMES_FOLDER.search(text) is not None,
        "arguments of the program": _NAMES_ARGUMENTS.search(text) is not None,
        "variables of the environment": _depends_on_environment(text),
        **{name: words.search(text) is not None for name, words in options_of_python.WORDS.items()},
    }
    return (*settings_with(libraries, makes_text([text])), *(name for name, counts in found.items() if counts))


def _depends_on_environment(text: str) -> bool:
    """Whether code may depend on variables that it does not name: it goes through them, or a program inherits them."""
    if _GOES_THROUGH_ENVIRONMENT.search(text):
        return True
    return _STARTS_PROGRAM.search(_ASKS_NO_VARIABLES.sub("", text)) is not None


def makes_text(sources: Iterable[str]) -> bool:
    """Whether code may put values into text."""
    return any(map(_MAKES_TEXT.search, sources))


def settings_with(libraries: Iterable[str], in_text: bool) -> tuple[str, ...]:
    """Name the settings that count for what works with some libraries, and may put their values into text.

    Examples
    --------
    >>> settings_with({"numpy"}, in_text=True)
    ('how numpy treats errors', 'how numpy prints')
    """
    there = set(libraries)
    names = {name: None for library, own in _OF_LIBRARIES.items() if library in there for name in own}
    return tuple(name for name in names if in_text or name not in _OF_TEXT)


def libraries_of(values: Iterable[Any]) -> set[str]:
    """Name the libraries that some values, and what they hold at first sight, are of.

    Examples
    --------
    >>> import decimal
    >>> libraries_of([1, [decimal.Decimal(1)]])
    {'decimal'}
    """
    return {
        library_of(part)
        for value in values
        if type(value) not in SCALARS
        for part in _at_first_sight(value)
        if type(part) not in SCALARS
    } & _OF_LIBRARIES.keys()


def _at_first_sight(value: Any) -> Iterator[Any]:
    """Yield a value and some of what it holds, whatever its class says of it."""
    yield value
    kind = next((kind for kind in _CONTAINERS if issubclass(type(value), kind)), None)
    if kind is dict:
        yield from islice(dict.values(value), _FIRST)
    elif kind is not None:
        yield from islice(kind.__iter__(value), _FIRST)
    else:
        yield from islice(_attributes(value).values(), _FIRST)


def _attributes(value: Any) -> dict[str, Any]:
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except Exception:
        return {}
    return attributes if type(attributes) is dict else {}


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


def _numpy_prints() -> dict[str, Any]:
    now = sys.modules["numpy"].get_printoptions()
    formatter = {"formatter": sorted(now["formatter"])} if now.get("formatter") else {}
    return others(now, _NUMPY_PRINTS) | formatter


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


_colormaps = _Remembered(
    lambda: {name: id(of) for name, of in sys.modules["matplotlib"].colormaps._cmaps.items()},
    lambda now: {name: digest(sys.modules["matplotlib"].colormaps[name]).hex() for name in _others_than_come(now)},
)


def _others_than_come(colormaps: Iterable[str]) -> set[str]:
    """Those that neither matplotlib nor seaborn brings."""
    matplotlib, seaborn = sys.modules["matplotlib"], sys.modules.get("seaborn.cm")
    of_seaborn = {name for name in colormaps if hasattr(seaborn, name.removesuffix("_r"))}
    return set(colormaps) - set(matplotlib.colormaps._builtin_cmaps) - of_seaborn


def _decimal() -> str:
    now = sys.modules["decimal"].getcontext()
    traps = sorted(kind.__name__ for kind, is_set in now.traps.items() if is_set)
    found = (now.prec, now.rounding, now.Emin, now.Emax, now.capitals, now.clamp, traps)
    usual = (28, "ROUND_HALF_EVEN", -999999, 999999, 1, 0, ["DivisionByZero", "InvalidOperation", "Overflow"])
    return "" if found == usual else repr(found)


def _locale() -> str:
    categories = locale.setlocale(locale.LC_ALL).split(";")
    others = [one for one in categories if not one.startswith("LC_CTYPE=") and one.rpartition("=")[2] != "C"]
    return ";".join(others)


def _program_arguments() -> str:
    """Of a kernel, whose own name a file that is another each time, only those that were put there since."""
    is_kernel = "ipykernel" in sys.argv[0] if sys.argv else True
    return "" if is_kernel and sys.argv == _ARGUMENTS_AT_FIRST else repr(sys.argv[1:])


def _other_variables() -> dict[str, str]:
    """Those that were set or deleted since: what a kernel is begun with is another on each machine."""
    names = [n for n in _VARIABLES_AT_FIRST.keys() | os.environ.keys() if not n.startswith(_SET_BY_LIBRARIES)]
    return {n: _sealed(os.environ.get(n)) for n in names if os.environ.get(n) != _VARIABLES_AT_FIRST.get(n)}


def _sealed(text: str | None) -> str:
    return "" if text is None else digest(text).hex()


_LOOKS: dict[str, Callable[[], dict[str, Any] | str]] = {
    "how numpy treats errors": lambda: others(sys.modules["numpy"].geterr(), _NUMPY_ERRORS),
    "how numpy prints": _numpy_prints,
    "options of pandas": lambda: _options_of_pandas(of_display=False),
    "how pandas prints": lambda: _options_of_pandas(of_display=True),
    "rcParams of matplotlib": _matplotlib,
    "colormaps of matplotlib": _colormaps,
    "the context of decimal": _decimal,
    "the locale": _locale,
    "the working directory": working_folder,
    "arguments of the program": _program_arguments,
    "variables of the environment": _other_variables,
    **library_options.LOOKS,
    **options_of_python.LOOKS,
}
BESIDE_PROCESS = (*library_options.LOOKS, *options_of_python.LOOKS, "colormaps of matplotlib")
