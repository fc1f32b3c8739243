"""What is a script or notebook as the body of a pipe?  Its code, and that of the user's modules that it imports."""

from __future__ import annotations

import hashlib
import os
from functools import cached_property
from pathlib import Path
from typing import Any

from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.project import Project
from rms_jupyter.flows.naming import identifier_of
from rms_jupyter.kept.code import Reads
from rms_jupyter.model import Piece, ResourceRecord
from rms_jupyter.run.call.body import Body
from rms_jupyter.tracked.code import TrackedCode
from rms_jupyter.tracked.running import ScriptPlace, TrackedScript, place_of_executed
from rms_jupyter.tracked.settings import RunConfig


class TrackedBody(Body):
    """A script or notebook, run in one way.

    Parameters
    ----------
    path : str
        Absolute path.
    config : RunConfig
    project : Project
    store : Path
        The folder of the store.

    Raises
    ------
    RmsError
        If it cannot be read.
    """

    def __init__(self, path: str, config: RunConfig, project: Project, store: Path) -> None:
        place = project.place(path)
        self.name = pipe_name_of(place)
        self._place, self._config = place, config
        folder = os.path.join(os.path.dirname(path), config.folder) if config.folder else os.path.dirname(path)
        self._code = TrackedCode(path, os.path.normpath(folder), config.environment)
        executed = str(place_of_executed(store, place, config.name)) if path.endswith(".ipynb") else ""
        self._where = ScriptPlace(
            path, os.path.normpath(folder), project.folder, str(store), executed, config.timeout, self._code.states
        )

    @cached_property
    def function(self) -> Any:  # type: ignore[override]
        """What a task calls."""
        return TrackedScript(self._where)

    def describe(self, ignore: tuple[str, ...]) -> CodeVersion:
        """Describe the code as it was when this was made."""
        return self._code.version(self._place, ignore, self._config.folder)

    def says_nothing(self, value: ResourceRecord) -> bool:
        """Return False: that it has run is what is known of it."""
        return False

    def pieces(self, name: str, reads: Reads) -> dict[str, Piece]:
        """Return why it cannot be written down as a function."""
        return {name: Piece("lost", f"it is the file {self._place}, which runs by itself")}


def pipe_name_of(place: str) -> str:
    """Return what the pipe of a script is called, by its place in the project.

    Examples
    --------
    >>> pipe_name_of("scripts/gen_fig1.py"), pipe_name_of("old/2d fit.ipynb")
    ('scripts.gen_fig1.py', 'old._2d_fit.ipynb_...')
    """
    parts = [part for path in place.strip("/").split("/") for part in path.rsplit(".", 1)]
    name = ".".join(map(identifier_of, parts))
    if name == place.replace("/", "."):
        return name
    return f"{name}_{hashlib.blake2b(os.fsencode(place), digest_size=2).hexdigest()}"
