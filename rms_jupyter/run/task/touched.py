"""Which files does code open, write, list, ask for or remove, wherever it has their names from, and what does it start?

Python tells of most of it (`file_events`), of the rest functions that we have put before its own (`file_questions`).
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from rms_jupyter.fingerprint import registered
from rms_jupyter.fingerprint.questions import NOTHING, THERE, answer, parts_of
from rms_jupyter.run.task import databases_attached, file_events, file_questions, library_files, noting, sent_elsewhere
from rms_jupyter.run.task.file_events import Stand, stand
from rms_jupyter.run.task.left_running import LEAVES_RUNNING, THREADS, is_program_left, is_thread_left
from rms_jupyter.run.task.noting import untouched
from rms_jupyter.working_folder import in_short, working_folder

__all__ = ["Touched", "note_act", "note_elsewhere", "untouched"]

_CODE = (".py", ".pyc", ".so", ".pyd")
_KEPT_BY_LIBRARIES = ("/.", ".rms/", "/rms-run-", "__pycache__", "site-packages")
_OF_THE_SYSTEM = ("/usr/", "/bin/", "/sbin/", "/lib", "/etc/", "/proc/", "/sys/", "/dev/", "/run/")
_MOST_QUESTIONS = 10_000


class Touched:
    """What code touches in a block: in this thread, in what is awaited, in threads it starts; blocks may be nested.

    Attributes
    ----------
    read, changed, listed : dict of str to None
        Absolute paths of files that were opened for reading, of what was written or made, and of folders whose names
        were asked for.
    kept_content : dict of str to bool
        Files that were opened for writing with what they held; whether it was only to write on at their end.
    removed : dict of str to None
        What was there before and was removed, or moved elsewhere.
    asked : dict of str to str
        What was asked of paths without opening them, and the answers; see `fingerprint.questions`.
    guarded : set of str
        Paths of which it does not matter what was there before: the code makes sure of it.
    acts : dict of str to str
        What it does to paths, in words, that is not done by having what it has written; under '' to other things.
    started : list of str
        Programs and databases.
    certain : set of str
        Those of the paths that are the user's, wherever they lie.
    """

    read: dict[str, None]
    changed: dict[str, None]
    listed: dict[str, None]
    kept_content: dict[str, bool]
    removed: dict[str, None]
    asked: dict[str, str]
    guarded: set[str]
    acts: dict[str, str]
    started: list[str]
    certain: set[str]
    is_new = True
    _children: Any = None
    _threads_before = 0
    _children_before: list[int] | None = None
    _process = 0
    _elsewhere = ""
    _temporary: dict[str, None]
    _stood: dict[str, Stand]

    def __getattr__(self, name: str) -> Any:
        """Make what things are noted in when it is asked for: most code touches nothing."""
        if not self.is_new or name.startswith("__"):
            raise AttributeError(name)
        self.read, self.changed, self.listed, self.removed, self._temporary = {}, {}, {}, {}, {}
        self.kept_content, self.asked, self.acts, self._stood = {}, {}, {}, {}
        self.started, self.guarded, self.certain = [], set(), set()
        self.is_new = False  # Last: an interrupt may come in between.
        return getattr(self, name)

    def __enter__(self) -> Touched:
        listen()
        self._threads_before = len(THREADS)
        noting.begin(self)
        return self

    def __exit__(self, *error: object) -> None:
        noting.end(self)
        self._see_what_runs()
        if not self.is_new or self._children is not None or self._elsewhere:
            with untouched():
                self._hear_children()
                self._see_what_was_kept()

    def __bool__(self) -> bool:
        """Whether anything was touched."""
        return not self.is_new

    # What is noted ---------------------------------------------------------------------------------------------------

    def note(self, what: str, *about: Any) -> None:
        """Note something; a forked child writes it to a file that its parent will read."""
        if self._children is not None and os.getpid() != self._process:
            self._children.write(json.dumps([what, *about]).encode() + b"\n")
        else:
            getattr(self, f"_{what}")(*about)

    def _forks(self) -> None:
        if self._children is None:
            self._process = os.getpid()
            with untouched():
                self._children = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115

    def place_elsewhere(self) -> str:
        """Return the file into which other processes may write what they note for this one."""
        if not self._elsewhere:
            handle, self._elsewhere = tempfile.mkstemp(prefix="rms-noted-")
            os.close(handle)
        return self._elsewhere

    def _hear_children(self) -> None:
        if self._elsewhere:
            place, self._elsewhere = self._elsewhere, ""
            with contextlib.suppress(OSError), open(place, "rb") as written:
                os.unlink(place)
                for line in written:
                    self.note(*json.loads(line))
        if self._children is not None:
            children, self._children = self._children, None
            with children:
                children.seek(0)
                for line in children:
                    self.note(*json.loads(line))

    def _reads(self, path: str) -> None:
        self.read[path] = None

    def _rests_on(self, path: str) -> None:
        self.read[path] = None
        self.certain.add(path)

    def _writes(self, path: str, keeps: bool, appends: bool, stood: Any, is_new: bool = False) -> None:
        if is_new:
            self.acts.setdefault(path, f"it makes {in_short(path)}, which may not be there before")
        if path not in self.changed:
            self._stood[path] = tuple(stood) if stood else None
            if keeps or path in self.read:
                self.kept_content[path] = appends and path not in self.read
        self.changed[path] = None

    def _lists(self, path: str) -> None:
        self.listed[path] = None

    def _makes(self, path: str, is_sure: bool, was: str) -> None:
        self._asks(path + THERE, was, is_sure)
        if was == NOTHING:
            self.changed[path] = None

    def _removes(self, path: str, is_sure: bool, was: str) -> None:
        if path in self.changed:
            self._takes_away(path)
        elif was != NOTHING:
            self.removed[path] = None
        self._asks(path + THERE, was, is_sure)

    def _renames(self, path: str, new: str) -> None:
        moved = [name for name in self.changed if f"{name}/".startswith(f"{path}/")]
        if path not in self.changed:
            self.removed[path] = None
        for name in moved:
            self._takes_away(name)
        self.changed.update(dict.fromkeys([new, *(new + name.removeprefix(path) for name in moved)]))

    def _changes(self, path: str) -> None:
        if path not in self.changed:
            self.acts.setdefault(path, f"it changes {in_short(path)}")

    def _asks(self, question: str, answered: str, is_sure: bool) -> None:
        path, _ = parts_of(question)
        if is_sure:
            self.guarded.add(path)
        if path not in self.changed:
            self.asked.setdefault(question, answered)

    def _must_be_done(self, why: str) -> None:
        self.acts[""] = why

    def _leaves(self, path: str) -> None:
        self._temporary[path] = None

    def _starts(self, what: str) -> None:
        self.started.append(what)

    def _takes_away(self, path: str) -> None:
        """Note that a file of its own is gone; another one may have been in its place."""
        self.changed.pop(path)
        self.kept_content.pop(path, None)
        self.guarded.add(path)
        if self._stood.get(path) is not None:
            self.removed[path] = None
            self.guarded.discard(path)

    def _may_leave(self, children: list[int]) -> None:
        if self._children_before is None:
            self._children_before = children

    def _see_what_runs(self) -> None:
        if self._children_before is not None and is_program_left(self._children_before):
            self.note(*LEAVES_RUNNING)
        elif len(THREADS) > self._threads_before and is_thread_left(self._threads_before):
            self.note("must_be_done", "it leaves a thread running")

    def _see_what_was_kept(self) -> None:
        """Find out which files that were opened with what they held were changed at all."""
        for path, appends in list(self.kept_content.items()):
            before, now = self._stood[path], stand(path)
            was_beside = before is not None and before[-1]  # It may only have been put into a database.
            if not appends and (now == before or was_beside):
                del self.kept_content[path], self.changed[path]
                self.read[path] = None
            elif before is None and now is not None and not now[0]:
                del self.kept_content[path]  # It was made, and nothing written to it.

    # What came of it -------------------------------------------------------------------------------------------------

    @property
    def rewritten(self) -> list[str]:
        """What was written from its beginning."""
        return [path for path in self.changed if path not in self.kept_content]

    def unnamed(self, named: Collection[str], but: str) -> str:
        """Say what was written beside files that are named, and a folder of our own; '' if nothing was."""
        for path in (*self.changed, *self.removed):
            if path not in named and not path.startswith((but + os.sep, "/dev/")) and "__pycache__" not in path:
                return f"it writes {in_short(path)}, which its text does not name"
        return f"it uses {self.started[0]}" if self.started else ""

    def files_read(self, named: Collection[str]) -> list[str]:
        """The user's files that were read, and are there, beside what is named."""
        paths = [path for path in self.read if path not in self.changed]
        return [path for path in self._beside(named, paths) if os.path.isfile(path)]

    def files_written(self, named: Collection[str]) -> list[str]:
        """The user's files that were written from their beginning, and are there, beside what is named."""
        return [path for path in self._beside(named, self.rewritten) if os.path.isfile(path)]

    def folders_listed(self, named: Collection[str]) -> list[str]:
        """The user's folders whose names were asked for, beside what is named."""
        return [path for path in self._beside(named, self.listed) if os.path.isdir(path)]

    def added_to(self, declared: Collection[str] = ()) -> dict[str, bool]:
        """The user's files that it has added to, or changed by what they held; whether it only wrote on at the end.

        A declared output that was not there before is one that it has made.
        """
        kept = [path for path in self.kept_content if path not in declared or self._stood[path] is not None]
        return {path: self.kept_content[path] for path in self._beside((), kept) if os.path.isfile(path)}

    def answers(self, named: Collection[str]) -> dict[str, str]:
        """What was asked of the user's files, and how it must be answered for the call to be the same.

        Whether named files are there is known without it, and so is what it has made in named folders. Where the code
        makes sure of something (``if not exists(a): makedirs(a)``), it is enough that things are as it has left them.
        """
        missing = [path for path in self.read if path not in self.changed and not os.path.lexists(path)]
        asked = {f"{path}{THERE}": NOTHING for path in missing} | self.asked
        folders = _as_folders(named)
        answers = {}
        for question in asked:
            path, what = parts_of(question)
            is_known = path in named or (path in self.changed and f"{path}/".startswith(folders))
            if (is_known and what == THERE) or not self._is_the_users(path):
                continue
            if path not in self.guarded:
                answers[question] = asked[question]
            elif not self._has_filled(path):
                answers[question] = answer(question)
        return answers

    def done_each_time(self, named: Collection[str], declared: Collection[str] = ()) -> str:
        """Say what else it does to files that is not done by having those that it has written; '' if nothing."""
        for path, act in self.acts.items():
            if not path or (path not in declared and self._is_the_users(path)):
                return act
        for path in self.removed:
            if path not in self.guarded and self._is_the_users(path) and not os.path.lexists(path):
                return f"it removes {in_short(path)}"
        for path in self._beside(named, self.changed):
            if os.path.isdir(path) and path not in self.guarded and not self._has_filled(path):
                return f"it makes the folder {in_short(path)}"
        folders = _as_folders(named)
        for path in self._temporary:
            if os.path.lexists(path) and not path.startswith(folders):
                return f"it leaves {path} among temporary files"
        return "it asks for thousands of files" if len(self.asked) > _MOST_QUESTIONS else ""

    def _has_filled(self, folder: str) -> bool:
        """Whether files lie in a folder that it has written, so that the folder is there with them."""
        return any(path.startswith(f"{folder}/") and os.path.isfile(path) for path in self.changed)

    def _beside(self, named: Collection[str], paths: Iterable[str]) -> Iterator[str]:
        """Those of the user's paths that are not named, and lie in no folder that is."""
        folders = _as_folders(named)
        return (path for path in paths if not f"{path}/".startswith(folders) and self._is_the_users(path))

    def _is_the_users(self, path: str) -> bool:
        return path in self.certain or _is_the_users(f"{path}/")


def listen() -> None:
    """Hear from now on what Python and libraries tell of files, and what is registered with Python."""
    file_events.listen()
    file_questions.listen()
    library_files.listen()
    databases_attached.listen()
    sent_elsewhere.listen()
    registered.listen()


def note_elsewhere(read: Iterable[str], written: Iterable[str], listed: Iterable[str]) -> None:
    """Note what another process has done for the task that runs here, with files that are known to be the user's."""
    read, written, listed = list(read), list(written), list(listed)
    for block in noting.noted_here():
        if isinstance(block, Touched):
            block.read.update(dict.fromkeys(read))
            block.changed.update(dict.fromkeys(written))
            block.listed.update(dict.fromkeys(listed))
            block.certain.update(read, written, listed)


def note_act(doer: str, act: str) -> None:
    """Note what another process has done for the task that runs here, if having what it has written is not all."""
    for block in noting.noted_here():
        if isinstance(block, Touched):
            block.acts.setdefault(doer, act)
            block.certain.add(doer)


# The record of the call is that of the process which it began in.
os.register_at_fork(after_in_child=lambda: note_act("os.fork", "it goes on in a process that was forked within it"))


def _as_folders(paths: Collection[str]) -> tuple[str, ...]:
    return tuple(os.path.join(path, "") for path in paths)


def _is_the_users(path: str) -> bool:
    """Tell the user's data from what Python and its libraries keep: code, settings, caches, temporary files."""
    if path.rstrip("/").endswith(_CODE) or any(part in path for part in _KEPT_BY_LIBRARIES):
        return False
    if path.startswith((*_OF_THE_SYSTEM, os.path.join(sys.prefix, ""), os.path.join(sys.base_prefix, ""))):
        return False
    return path.startswith(os.path.join(working_folder(), "")) or not path.startswith(tempfile.gettempdir() + os.sep)
