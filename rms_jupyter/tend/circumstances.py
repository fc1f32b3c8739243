"""Under which circumstances was a task run: host, packages and commit; and in what do those of two tasks differ?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rms_jupyter.model import Environment, TaskRecord
from rms_jupyter.staleness import Difference
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.store import Store


@dataclass(frozen=True)
class Circumstances:
    """The host, environment and commit of a run; '' or None where they are not on record."""

    host: str = ""
    environment: Environment | None = None
    commit: str = ""
    dirty: bool = False

    def facts(self) -> dict[str, str]:
        """Word them, what is not on record left out."""
        facts = {"host": self.host}
        if self.environment is not None:
            facts |= {"python": self.environment.python, "platform": self.environment.platform}
            facts |= {"conda": self.environment.conda}
        facts |= {"commit": f"{self.commit[:12]}{' and changes since' * self.dirty}"}
        return {name: fact for name, fact in facts.items() if fact}

    def packages(self) -> dict[str, str]:
        """The packages of Python and of conda by name, with their versions."""
        if self.environment is None:
            return {}
        conda = {f"{name} (conda)": version for name, version in self.environment.conda_packages.items()}
        return self.environment.packages | conda


def circumstances_of(store: Store, task: TaskRecord) -> Circumstances:
    """Find the circumstances under which a task was run."""
    rows = store.fetch(sql_text("queries/place_of_run.sql"), [task.run])
    if not rows:
        return Circumstances()
    host, digest, commit, dirty = rows[0]
    return Circumstances(host or "", store.find_environment(digest) if digest else None, commit or "", bool(dirty))


def changed_circumstances(now: Circumstances, then: Circumstances) -> Iterator[Difference]:
    """List what differs; packages only where those of both are on record."""
    mine, other = now.facts(), then.facts()
    if now.environment is not None and then.environment is not None:
        mine |= now.packages()
        other |= then.packages()
    for name in dict.fromkeys([*mine, *other]):
        if mine.get(name) != other.get(name):
            yield Difference("environment", name, other.get(name, ""), mine.get(name, ""))
