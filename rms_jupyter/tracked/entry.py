"""What is tracked?  A script or notebook, with one way to run it; and the call that this is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from rms_jupyter.fingerprint.project import Project
from rms_jupyter.model import Contract
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.tracked.body import TrackedBody
from rms_jupyter.tracked.settings import RunConfig
from rms_jupyter.working_folder import in_short


class Entry(NamedTuple):
    """A script or notebook, by its absolute path, and the name of a run configuration."""

    path: str
    config: str

    @property
    def shown(self) -> str:
        """How it is written for a person: its path as it is from the working directory."""
        return f"{in_short(self.path)} [{self.config}]"


def call_of(path: str, config: RunConfig, project: Project, store: Path) -> tuple[Definition, tuple[Any, ...]]:
    """Return the call that runs a script as it is now.

    Raises
    ------
    RmsError
        If it cannot be read.
    """
    definition = Definition(TrackedBody(path, config, project, store), Contract(returns="resource"))
    values = definition.binder.bind(
        config=config.name,
        arguments=list(config.arguments),
        environment=dict(config.environment),
        parameters=dict(config.parameters),
    )
    return definition, values
