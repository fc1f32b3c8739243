"""An open store with its pipes: the facade.  Each method is one call to the room that does it."""

from __future__ import annotations

from rms_jupyter.session.asking import Asking
from rms_jupyter.session.commanding import Commanding
from rms_jupyter.session.copying import Copying
from rms_jupyter.session.curating import Curating
from rms_jupyter.session.drawing import Drawing
from rms_jupyter.session.flowing import Flowing
from rms_jupyter.session.importing import Importing
from rms_jupyter.session.ruling import Ruling
from rms_jupyter.session.templating import Templating
from rms_jupyter.session.tending import Tending

_FOR_USERS = {
    *("path", "read_only", "notebook", "budget", "closed", "close", "refresh", "tidy", "problems"),
    *("pipe", "register_pipe", "register_module", "register_file", "file_from_path", "rmsimport", "shell", "pipes"),
    *("plan", "run", "stop", "rerun", "flow", "rule", "rules", "template", "templates", "template_from"),
    *("sql", "tables", "find", "tasks", "files", "figures", "results", "runs", "logs", "status", "last_run"),
    *("lineage", "notebook_graph", "params", "frames_behind", "why", "diff", "show", "export"),
    *("accept", "accepted", "mark", "check", "trust", "is_trusted", "delete", "undo_delete", "clear", "gc"),
    *("set_budget", "reduce_size", "backup", "push", "pull", "ahead_and_behind", "import_template"),
    *("track", "tracked", "work", "save_figures", "task_of_figure"),
}


class Session(Flowing, Ruling, Templating, Curating, Commanding, Importing, Asking, Tending, Copying, Drawing):
    """An open store. Made by `rms_jupyter.open`.

    Parameters
    ----------
    path : Path
        The store's directory, made if it is not there.
    read_only : bool
        Look only: hits are answered, other calls run without being recorded.
    notebook : str
        Who works with it, for the record.

    Examples
    --------
    >>> import rms_jupyter as rms, tempfile
    >>> s = rms.open(tempfile.mkdtemp() + "/analysis.rms")
    >>> add_ = s.register_pipe(lambda i, j=2: i + j, name="add")
    >>> add_(1).content, add_(1, 2).task.hit
    (3, True)
    >>> s.sql("SELECT pipe, args FROM tasks").fetchall()
    [('add', '{"i":1,"j":2}')]
    >>> s.close()
    """

    def __dir__(self) -> list[str]:
        """What is completed behind ``s.``: what users call, and not what the rooms of this package do."""
        return sorted(_FOR_USERS | {name for name in super().__dir__() if name.startswith("_")})
