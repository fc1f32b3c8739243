"""How does the process stand, beside what it holds in variables?  What of it cannot be brought back by values."""

from __future__ import annotations

import gc
import importlib
import locale
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rms_jupyter.fingerprint.settings import BESIDE_PROCESS, settings_now
from rms_jupyter.run.task.warning_filters import filters_now
from rms_jupyter.working_folder import working_folder

State = dict[str, Any]


def state_now(with_handles: bool = False) -> State:
    """Note how the process stands, by what a person calls each part; what is not imported has no part yet."""
    state: State = {"the open files": _open_files()} if with_handles else {}
    for name, look in _looks():
        try:
            state[name] = look()
        except Exception:
            continue  # A library of another version: it is not looked at.
    return state


def what_changed(before: State, after: State) -> str:
    """Name a part of the state that is another than before; '' if none is.

    Examples
    --------
    >>> what_changed({"the folder": "a", "sys.path": []}, {"the folder": "b", "sys.path": []})
    'the folder'
    """
    return next((name for name, was in before.items() if name in after and after[name] != was), "")


def _looks() -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "an environment variable", lambda: dict(os.environ)
    yield "the working directory", working_folder
    yield "sys.path", lambda: list(sys.path)
    yield "the filters of warnings", filters_now
    yield "the recursion limit", sys.getrecursionlimit
    yield "the locale", lambda: locale.setlocale(locale.LC_ALL)
    yield "what is done on a signal", _on_signals
    yield "the collection of garbage", lambda: (gc.isenabled(), gc.get_threshold(), gc.get_debug())
    yield "the umask", _umask
    yield "the threads", lambda: {thread.ident for thread in threading.enumerate() if not thread.daemon}
    for setting in BESIDE_PROCESS:
        yield setting, lambda setting=setting: settings_now([setting])  # type: ignore[misc]
    for module, parts in _OF_MODULES.items():
        if module in sys.modules or _is_part_of_what_is_there(module):
            yield from (
                (name, lambda look=look, module=module: look(sys.modules[module])) for name, look in parts.items()
            )


def _is_part_of_what_is_there(module: str) -> bool:
    """Import what a library imports only when it is asked for: its state is to be known before that."""
    if module in _CHEAP or ("." in module and module.partition(".")[0] in sys.modules):
        importlib.import_module(module)
    return module in sys.modules


_CHEAP = ("decimal", "random", "logging")


def _on_signals() -> dict[int, Any]:
    """What interrupts is not looked at: the kernel and this package see to that themselves while something runs."""
    return {kind: signal.getsignal(kind) for kind in signal.valid_signals() if kind != signal.SIGINT}


def _open_files() -> set[str]:
    folder = "/proc/self/fd"  # The one by which it is read is gone when it has been read.
    return {name for name in os.listdir(folder) if os.path.lexists(f"{folder}/{name}")}


def _umask() -> str:
    """Return it as Linux tells it: to ask Python for it is to set it, for all threads."""
    return next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("Umask"))


def _logging(logging: Any) -> Any:
    loggers = {"": logging.root, **logging.root.manager.loggerDict}
    return {
        name: (logger.level, [id(handler) for handler in logger.handlers], logger.propagate)
        for name, logger in loggers.items()
        if isinstance(logger, logging.Logger) and (logger.level or logger.handlers or not logger.propagate)
    }


def _legacy_numpy(module: Any) -> Any:
    kind, keys, *rest = module.get_state()
    return kind, keys.tobytes(), rest


def _rc_params(matplotlib: Any) -> Any:
    return {k: v for k, v in dict.items(matplotlib.rcParams) if k not in ("backend", "backend_fallback", "interactive")}


_OF_MODULES: dict[str, dict[str, Callable[[Any], Any]]] = {
    "random": {"the random numbers of random": lambda random: random.getstate()},
    "numpy.random": {"the random numbers of numpy": _legacy_numpy},
    "torch": {"the random numbers of torch": lambda torch: torch.get_rng_state().numpy().tobytes()},
    "numpy": {
        "an option of numpy": lambda np: {k: v for k, v in np.get_printoptions().items() if k != "override_repr"},
        "how numpy treats errors": lambda np: np.geterr(),
    },
    "pandas._config.config": {"an option of pandas": lambda config: repr(config._global_config)},
    "matplotlib": {"rcParams of matplotlib": _rc_params},
    "decimal": {"the context of decimal": lambda decimal: repr(decimal.getcontext())},
    "logging": {"a logger": _logging},
}
