"""How are the figures that calls make saved, and what made the one in a file?"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from rms_jupyter import model
from rms_jupyter.figures.formats import Formats, formats_named, formats_when_on
from rms_jupyter.figures.mark import marks_in
from rms_jupyter.figures.saved import SavedFigure, SavedFigures
from rms_jupyter.figures.styles import FigureSettings, styles_named, styles_wanted
from rms_jupyter.naming import arguments_text
from rms_jupyter.session.core import Core
from rms_jupyter.store.ask.find import compile_condition
from rms_jupyter.store.ask.overview import marked_tasks
from rms_jupyter.views.results import Report
from rms_jupyter.working_folder import in_short

_MOST_LISTED, _MOST_TASKS = 1000, 100_000
_TASKS = "(SELECT id, id AS task_id, pipe, args, status, seconds, started_at FROM tasks)"


class Drawing:
    """Figures that are saved with the task that made them."""

    def __init__(self, core: Core) -> None:
        self._core, self._store, self._calls = core, core.store, core.calls

    @property
    def figure_formats(self) -> Formats:
        """The formats in which the figures that calls make are saved; none if they are not."""
        return self._calls.figures.formats

    @property
    def figure_styles(self) -> tuple[str, ...]:
        """The names of the styles in which those of matplotlib's are saved beside as they are."""
        return tuple(style.name for style in self._calls.figures.styles)

    def save_figures(self, formats: Iterable[str] | bool = True, styles: Iterable[str] | None = None) -> None:
        """Save each matplotlib figure that a call makes from now on, whether it is shown, closed or left open.

        Figures of plotly and altair are saved when a call gives or shows them: as a page and as JSON, and as those
        pictures among the formats for which kaleido or vl-convert is installed.

        They go into the folder ``figures`` of the store, by the names of pipes and numbers. The file itself says which
        task made it: ``%rms lineage fig.png`` finds that wherever the file has gone.

        Parameters
        ----------
        formats : iterable of str, or bool
            Of png, svg, pdf and eps, and of html and json; true for those of the settings; false to save no more.
        styles : iterable of str, optional
            Names of styles, of matplotlib's or of ``[tool.rms_jupyter.styles]`` in ``pyproject.toml``, in which each is
            saved once more; those of the settings by default. What one sees stays as it is.

        Raises
        ------
        RmsError
            If a format or a style is not known.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> with rms.open(tempfile.mkdtemp() + "/demo.rms") as s:
        ...     s.save_figures(["pdf", "png"])
        ...     s.figure_formats
        ('png', 'pdf')
        """
        folder = self._core.path.parent
        named = formats_when_on(folder) if formats is True else formats_named(formats or ())
        chosen = (styles_wanted(folder) if styles is None else styles_named(styles, folder)) if named else ()
        self._calls.figures = FigureSettings(named, chosen)

    def task_of_figure(self, path: str | os.PathLike[str]) -> int:
        """Find the id of the task that made the figure in a file, by what the file says; 0 if that is none of here."""
        marks = marks_in(path)
        found = marked_tasks(self._store, marks) if marks else {}
        return found[min(found)] if found else 0

    def saved_figures(self) -> Report:
        """List the figures that were saved, the latest first, with the calls that made them."""
        how = f"saved as {', '.join(self.figure_formats)}" if self.figure_formats else "not saved"
        headline = f"figures of calls are {how}; folder {in_short(str(self._store.layout.figures))}"
        return Report(headline, self._rows_of_saved())

    def saved_with_tasks(
        self, words: Sequence[str], condition: str = ""
    ) -> tuple[int, list[tuple[SavedFigure, int, model.TaskRecord]]]:
        """List saved figures, the latest first, with the ids and records of their tasks; and how many there are in all.

        Parameters
        ----------
        words : sequence of str
            Each must occur in the name, the call, or its arguments (``n=2``).
        condition : str
            In SQL, on ``pipe``, ``args``, ``status``, ``started_at`` and ``task_id`` of the tasks.

        Raises
        ------
        RmsError
            If DuckDB refuses the condition.
        """
        saved = self._saved.latest(_MOST_LISTED)
        tasks = marked_tasks(self._store, [figure.mark for figure in saved]) if saved else {}
        query = compile_condition(condition, _MOST_TASKS, _TASKS)
        chosen = {row[0] for row in self._store.ask(query).fetchall()} if condition else set(tasks.values())
        wanted, found = [word.lower() for word in words], []
        for place, figure in enumerate(saved):
            if (ident := tasks.get(place, 0)) not in chosen:
                continue
            record = self._store.record(ident)[1]
            if isinstance(record, model.TaskRecord):
                text = f"{figure.name} {self._store.call_text(record)} {arguments_text(record.args)}".lower()
                if all(word in text for word in wanted):
                    found.append((figure, ident, record))
        return len(tasks), found

    def pipe_of_task(self, task: model.TaskRecord) -> str:
        """Name the pipe of a task."""
        return self._store.pipe_name(task.pipe)

    @cached_property
    def _saved(self) -> SavedFigures:
        return SavedFigures(self._store.layout.figures)

    def _rows_of_saved(self) -> list[dict[str, Any]]:
        saved = self._saved.latest(_MOST_LISTED)
        found = marked_tasks(self._store, [figure.mark for figure in saved])
        return [
            {"file": name, "made by": self._call_of(found.get(place, 0)), "task": found.get(place, "")}
            for place, figure in enumerate(saved)
            for name in figure.files
        ]

    def _call_of(self, ident: int) -> str:
        return self._store.call_text(self._core.task_record(ident)[1]) if ident else ""
