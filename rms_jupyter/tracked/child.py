"""What happens in the process of a script, or in the kernel of a notebook, beside what it does by itself?

Python's audit hooks (PEP 578) tell which files are opened and which folders are listed, in all threads and in what is
forked. Each is written down at once, as a line of JSON, so that it is known whatever becomes of the process. Only the
standard library is imported here, until the script draws a figure: a script finds what ``python script.py`` gives it.

Started as ``python child.py TASK REPORT`` with two file descriptors: what to do, and where to write.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
import json
import os
import re
import sys
import traceback
from collections.abc import Callable
from contextlib import contextmanager, suppress
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EMPTYING = os.O_TRUNC | os.O_EXCL
_DRAWING = ("matplotlib.figure", "plotly.basedatatypes", "altair")
_WORD = re.compile(r"""[^\s'"();|&<>=,`]+""")
_MOST_WORDS = 1000
_OPENING_BELOW_PYTHON = frozenset(
    "pyarrow polars duckdb h5py lxml cv2 netCDF4 tables rasterio fiona pyogrio SimpleITK pysam soundfile pyreadstat"
    " safetensors".split()
)
_ATTACH, _ALLOWED = 24, 0  # In SQLite's C interface.
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_CODE = (".py", ".pyc", ".pyw", ".so", ".pyd")


class FileWatch:
    """Writes down what this process does to files.

    Parameters
    ----------
    report : int
        The file descriptor to write to.
    """

    def __init__(self, report: int) -> None:
        self._report = report
        self._said: set[str] = set()
        self._is_blind = False
        sys.addaudithook(self._note)
        if "sqlite3" in sys.modules:
            self._hear_connections("sqlite3", "sqlite3.dbapi2")

    def say(self, *words: Any) -> None:
        """Write a line."""
        line = json.dumps(words)
        if line not in self._said:
            self._said.add(line)
            os.write(self._report, line.encode() + b"\n")

    @contextmanager
    def blind(self) -> Any:
        """Let what is done in a block be ours, and not the script's."""
        was_blind, self._is_blind = self._is_blind, True
        try:
            yield
        finally:
            self._is_blind = was_blind

    def _note(self, event: str, args: tuple[Any, ...]) -> None:
        if self._is_blind:
            return
        try:
            if event == "open":
                self._note_open(*args)
            elif event in ("os.listdir", "os.scandir"):
                if not str(sys._getframe(1).f_globals.get("__name__")).startswith("importlib"):
                    self.say("listed", _absolute("." if args[0] is None else args[0]))
            elif event in ("os.system", "subprocess.Popen"):
                self._note_command(*((args[0], None) if event == "os.system" else args[1:3]))
            elif event == "sqlite3.connect":
                self._note_database(args[0])
            elif event == "import" and args[0] == "sqlite3.dbapi2":  # It takes what it gives from the module in C.
                self._hear_connections("_sqlite3")
            elif event == "os.rename":
                self.say("written", _absolute(args[1]))
            elif event == "import" and args[1]:  # What is compiled is not opened by Python.
                self._note_code(_absolute(args[1]))
        except Exception:
            return  # Whatever it was, it is no file with a name.

    def _note_open(self, path: Any, mode: Any, flags: Any) -> None:
        path = _absolute(path)
        if isinstance(mode, str):
            writes, empties = bool(set(mode) & set("wax+")), bool(set(mode) & set("wx"))
        else:
            writes, empties = bool((flags or 0) & _WRITING), bool((flags or 0) & _EMPTYING)
        if not writes and path.endswith(_CODE):
            self._note_code(path)
        else:
            is_new = writes and (empties or not os.path.exists(path))
            self.say("read" if not writes else "written" if is_new else "changed", path)

    def _note_command(self, command: Any, folder: Any) -> None:
        """Write down which files that are there the words of a command name, and their states."""
        parts = [command] if isinstance(command, (str, bytes, os.PathLike)) else list(command)
        words = [word for part in parts for word in (os.fsdecode(part), *_WORD.findall(os.fsdecode(part)))]
        for word in words[:_MOST_WORDS]:
            path = os.path.join(_absolute(folder or "."), word)
            if "\0" not in path and os.path.isfile(path):
                self.say_named(os.path.normpath(path))

    def say_named(self, path: str) -> None:
        """Write down the state of a file that may be read, or changed."""
        found = os.stat(path)
        self.say("named", path, [found.st_mtime_ns, found.st_size, found.st_ino])

    def _note_database(self, name: Any) -> None:
        """Write down that a database was opened that was there before: what is in it counts."""
        path = os.fsdecode(name)
        if path.startswith("file:"):
            with self.blind():
                from urllib.parse import unquote
            path = unquote(path.removeprefix("file:").partition("?")[0])
        if os.path.isfile(path):
            self.say("read", _absolute(path))

    def _hear_connections(self, *modules: str) -> None:
        """Hear of what is attached to the connections of SQLite that are made from now on."""
        with self.blind():
            found = [importlib.import_module(module) for module in modules]
            opens = found[0].connect

            @functools.wraps(opens)
            def connect(*args: Any, **kwargs: Any) -> Any:
                connection = opens(*args, **kwargs)
                with suppress(Exception):
                    connection.set_authorizer(self._note_attached)
                return connection

            for module in found:
                module.connect = connect  # type: ignore[attr-defined]

    def _note_attached(self, action: int, name: str | None, *_: Any) -> int:
        """Write down a database that SQL attaches by its name; all that SQLite asks about may be done."""
        if action == _ATTACH and name and not self._is_blind:
            with suppress(Exception):
                self._note_database(name)
        return _ALLOWED

    def _note_code(self, path: str) -> None:
        """Write down which state of a module was read, by its source."""
        if path.endswith(".pyc"):
            path = importlib.util.source_from_cache(path)
        found = os.stat(path)
        self.say("code", path, [found.st_mtime_ns, found.st_size, found.st_ino])


def _absolute(path: Any) -> str:
    if isinstance(path, int):
        raise TypeError
    return os.path.abspath(os.fsdecode(path))


# Figures --------------------------------------------------------------------------------------------------------------


class FigureWatch:
    """Saves the figures that are made, as soon as something is there that makes some.

    Parameters
    ----------
    saving : list
        Where and how; see `rms_jupyter.figures.saving.Saving`.
    started : int
    home : str
        Where `rms_jupyter` lies.
    watch : FileWatch
    """

    def __init__(self, saving: list[Any], started: int, home: str, watch: FileWatch) -> None:
        self._saving, self._started, self._home, self._watch = saving, started, home, watch
        self._catch: Any = None
        if any(name in sys.modules for name in _DRAWING):
            self._begin()
        else:
            sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Find a module as others would, and begin when one has its figures."""
        if name not in _DRAWING:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                run(module)
                self._begin()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def finish(self) -> None:
        """Save what was not closed."""
        if self._catch is not None:
            self._catch.save_rest()
            if self._catch.problem:
                self._watch.say("unsaved", self._catch.problem)

    def _begin(self) -> None:
        with self._watch.blind(), _importing_from(self._home):
            from rms_jupyter.figures.catching import Catch, watch
            from rms_jupyter.figures.saving import saving_from

            self._catch = Catch(saving_from(self._saving), self._started, self._watch.blind)
            watch(lambda: self._catch)


@contextmanager
def _importing_from(home: str) -> Any:
    """Let modules be found in a folder, if they are nowhere else."""
    sys.path.append(home)
    try:
        yield
    finally:
        sys.path.remove(home)


# Libraries ------------------------------------------------------------------------------------------------------------


class LibraryWatch:
    """Hears what libraries open below Python, from when the first of them is imported.

    Parameters
    ----------
    home : str
        Where `rms_jupyter` lies.
    watch : FileWatch
    """

    def __init__(self, home: str, watch: FileWatch) -> None:
        self._home, self._watch = home, watch
        if _OPENING_BELOW_PYTHON.isdisjoint(sys.modules):
            sys.meta_path.insert(0, self)
        else:
            self._begin()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Find a module as others do, and begin before one of the libraries is imported."""
        if name not in _OPENING_BELOW_PYTHON:
            return None
        sys.meta_path.remove(self)
        self._begin()
        return importlib.util.find_spec(name)

    def note(self, what: str, path: str, keeps: bool = False, *_: Any) -> None:
        """Write down what a library does to a file."""
        if what == "writes" and keeps and os.path.isfile(path):
            self._watch.say_named(path)
        else:
            self._watch.say({"reads": "read", "lists": "listed", "writes": "written"}[what], path)

    def _begin(self) -> None:
        with self._watch.blind(), _importing_from(self._home):
            from rms_jupyter.run.task import library_files, noting

            library_files.listen()
            noting.begin_everywhere(self)


# Running --------------------------------------------------------------------------------------------------------------


def watch_kernel(report: str, saving: list[Any], started: int, home: str) -> Callable[[], None]:
    """Watch the kernel of a notebook; returns what is to be called at its end."""
    watch = FileWatch(os.open(report, os.O_WRONLY | os.O_APPEND))
    LibraryWatch(home, watch)
    figures = FigureWatch(saving, started, home, watch) if saving else None
    return figures.finish if figures is not None else lambda: None


def main() -> None:
    """Run a script as ``python script.py`` would."""
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        task = json.load(file)
    report = int(sys.argv[2])
    os.set_inheritable(report, False)
    path = task["path"]
    sys.argv[:] = [path, *task["arguments"]]
    sys.path[0] = os.path.dirname(path)
    watch = FileWatch(report)
    LibraryWatch(task["home"], watch)
    figures = FigureWatch(task["saving"], task["started"], task["home"], watch) if task["saving"] else None
    try:
        _run(path)
    except SystemExit:
        raise
    except KeyboardInterrupt as error:
        hook, trace = sys.excepthook, _trace_of(error)
        sys.excepthook = lambda kind, error, _: hook(kind, error.with_traceback(trace), trace)
        raise
    except BaseException as error:
        trace = _trace_of(error)
        shown = "".join(traceback.format_exception(type(error), error, trace))
        watch.say("raised", type(error).__name__, _words(error), shown[-20_000:])
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        sys.exit(1)
    finally:
        if figures is not None:
            figures.finish()


def _run(path: str) -> None:
    """Run the text of a script as the main module."""
    module = type(sys)("__main__")
    module.__dict__.update(__file__=path, __builtins__=__builtins__, __cached__=None)
    sys.modules["__main__"] = module
    with open(path, "rb") as file:
        text = file.read()
    exec(compile(text, path, "exec", dont_inherit=True), module.__dict__)


def _trace_of(error: BaseException) -> Any:
    """Return the traceback of an error, from the script on and without what is ours."""
    kept, trace = [], error.__traceback__
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(_OURS):
            kept.append(trace)
        trace = trace.tb_next
    for one, following in itertools.pairwise(kept):
        one.tb_next = following
    return kept[0] if kept else None


def _words(error: BaseException) -> str:
    try:
        return str(error)[:10_000]
    except Exception:
        return ""


if __name__ == "__main__":
    main()
