"""When do the files of a temporary task go?  Once all tasks of the run that depend on it have succeeded."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence

from rms_jupyter.run.plan.planned import Planned


def remove_files(planned: Sequence[Planned], has_served: Callable[[int], bool]) -> None:
    """Remove the files of temporary tasks.

    Parameters
    ----------
    planned : sequence of Planned
        The calls of a plan that has run.
    has_served : callable
        Tells of the number of a task whether all that depend on it have succeeded.
    """
    for number, task in enumerate(planned):
        if task.definition.contract.temporary and task.answer and has_served(number):
            for out in task.answer.task.out:
                if out.kind == "file":
                    with contextlib.suppress(OSError):
                        os.unlink(out.path)
