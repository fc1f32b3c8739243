"""Where is a figure saved, and under which name?  By pipe and number, in the store's folder for figures."""

from __future__ import annotations

import io
import os
import re
import secrets
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from rms_jupyter.errors import RmsError, words_of
from rms_jupyter.figures.formats import PICTURES, USUAL
from rms_jupyter.figures.libraries import Library
from rms_jupyter.figures.mark import TaskMark
from rms_jupyter.figures.restyle import drawn_with, restyled
from rms_jupyter.figures.styles import FigureSettings, Style
from rms_jupyter.store.modes import make_folder, open_file, share

_LONGEST_NAME = 80
_alone = threading.Lock()
_numbers: dict[tuple[str, str], int] = {}  # The last one taken, by folder and name.


class Saving(Struct, frozen=True, array_like=True):
    """Where and how the figures of a task are saved; `name` is the pipe's, `key` the call's."""

    folder: str
    wanted: FigureSettings
    name: str
    key: str

    def save(self, figure: Any, started: int) -> None:
        """Save a figure of matplotlib's in each format; `started` is when the task did.

        Raises
        ------
        Exception
            Whatever matplotlib or the disk raises.
        """
        mark = TaskMark(self.key, started)
        formats = [name for name in self.wanted.formats if name in PICTURES] or USUAL
        files = {format: _draw(figure, format, mark) for format in formats}
        problems = []
        for style in self.wanted.styles:
            named = [name for name in style.formats if name in PICTURES] or formats
            try:
                files |= _in_style(figure, style, named, mark)
            except Exception as error:
                problems.append(f"in the style {style.name}: {words_of(error)}")
        self._write(files, problems)

    def write_down(self, library: Library, figure: Any, started: int) -> str:
        """Write down a figure of another library, as it is now."""
        return library.write_down(figure, str(TaskMark(self.key, started)))

    def save_written(self, library: Library, written: str, started: int) -> None:
        """Save a figure that was written down, in the formats that the library can give."""
        files = library.files_of(written, self.wanted.formats)
        unstyled = []
        for style in self.wanted.styles:
            try:
                files |= library.files_of(written, self.wanted.formats, style)
            except Exception as error:
                unstyled.append(f"in the style {style.name}: {words_of(error)}")
        made, problems = library.make(files, TaskMark(self.key, started))
        self._write(made, unstyled + problems)

    def _write(self, files: dict[str, bytes], problems: list[str]) -> None:
        folder = Path(self.folder)
        make_folder(folder)
        name = _take_name(folder, _readable(self.name), next(iter(files))) if files else ""
        for format, data in files.items():
            _write(folder / f"{name}.{format}", data)
        if problems:
            raise RmsError("; ".join(problems))


def saving_from(said: list[Any]) -> Saving:
    """Return what travelled to another process as JSON."""
    return msgspec.convert(said, Saving)


def _in_style(figure: Any, style: Style, formats: Sequence[str], mark: TaskMark) -> dict[str, bytes]:
    """Draw a figure in a style, as files by the ends of their names; of a size that is said, all of it is used."""
    import matplotlib

    settings = style.settings()
    now: Any = matplotlib.rcParams
    copy = restyled(figure, now, settings)
    options: dict[str, Any] = {"dpi": style.dpi or settings.get("savefig.dpi") or "figure"}
    if style.size:
        copy.set_size_inches(style.size)
        options["bbox_inches"] = None
        if copy.get_layout_engine() is None:
            copy.set_layout_engine("tight")
    while_drawn: Any = drawn_with(settings)
    with _alone, matplotlib.rc_context(while_drawn):
        return {f"{style.name}.{format}": _draw(copy, format, mark, **options) for format in formats}


def _draw(figure: Any, format: str, mark: TaskMark, **options: Any) -> bytes:
    buffer = io.BytesIO()
    options = {"format": format, "bbox_inches": "tight", "metadata": mark.as_metadata(format), **options}
    try:
        figure.savefig(buffer, **options)
    except Warning:  # The user's filters make exceptions of warnings.
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            figure.savefig(buffer, **options)
    return buffer.getvalue()


def _readable(name: str) -> str:
    """Return a pipe's name as that of a file.

    Examples
    --------
    >>> _readable("../my plot")
    'my_plot'
    """
    return re.sub(r"[^\w.-]+", "_", name).strip("._-")[:_LONGEST_NAME] or "figure"


def _take_name(folder: Path, name: str, format: str) -> str:
    """Take the next number that no file of that name has, of any process."""
    place = str(folder), name
    number = _numbers.get(place) or _highest(folder, name)
    while True:
        number += 1
        try:
            os.close(open_file(folder / f"{name}-{number}.{format}", os.O_WRONLY | os.O_EXCL))
        except FileExistsError:
            continue
        _numbers[place] = number
        return f"{name}-{number}"


def _highest(folder: Path, name: str) -> int:
    numbered = re.compile(rf"{re.escape(name)}-([0-9]{{1,9}})\.\w+")
    return max((int(found[1]) for entry in os.scandir(folder) if (found := numbered.fullmatch(entry.name))), default=0)


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        partial.write_bytes(data)
        share(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
