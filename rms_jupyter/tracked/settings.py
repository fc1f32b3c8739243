"""In which ways are scripts run, which are found by themselves, and which belong together?

``[tool.rms_jupyter.tracked]`` in the nearest `pyproject.toml` says it, and ``[tracked]`` in the store's `config.toml`,
which wins::

    [tool.rms_jupyter.tracked]
    paths = ["scripts/*.py", "notebooks/**"]        # tracked without being named
    exclude = ["*_old.py"]
    figures = ["png", "svg"]                        # or false

    [tool.rms_jupyter.tracked.configs.short]
    timeout = 10
    environment = { QUICK = "1", SEED = false }     # false: unset
    arguments = ["--fast"]
    parameters = { n = 3 }                          # of notebooks
    folder = ".."                                   # where it runs, from where the script lies

    [tool.rms_jupyter.tracked.groups]
    paper = ["scripts/gen_*.py"]
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from rms_jupyter.errors import RmsError
from rms_jupyter.figures.formats import USUAL, Formats, formats_named

USUAL_CONFIG = "std"
_NAME = re.compile(r"[\w][\w.-]{0,60}")
_EXCLUDED = ("__*.py", ".*")


class RunConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """A way to run scripts and notebooks.

    Attributes
    ----------
    name : str
    timeout : float
        Seconds; 0 for none.
    environment : dict of str to (str or None)
        Variables that are set, or (None) unset.
    arguments : tuple of str
        Behind the name of a script.
    parameters : dict of str to object
        Of a notebook.
    folder : str
        Where it runs, seen from where it lies.
    """

    name: str = USUAL_CONFIG
    timeout: float = 1800.0
    environment: dict[str, str | None] = {}
    arguments: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}
    folder: str = ""


class TrackedSettings(Struct, frozen=True):
    """What the settings say of tracked scripts.

    Attributes
    ----------
    configs : dict of str to RunConfig
        By their names; ``std`` is always among them.
    paths, exclude : tuple of str
        Patterns, seen from the project's folder.
    groups : dict of str to tuple of str
        Patterns by the names of groups.
    figures : tuple of str
        The formats in which figures are saved; none if they are not.
    """

    configs: dict[str, RunConfig]
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = _EXCLUDED
    groups: dict[str, tuple[str, ...]] = {}
    figures: Formats = USUAL

    def config(self, name: str) -> RunConfig:
        """Return a configuration.

        Raises
        ------
        RmsError
            If there is none of this name.
        """
        if name not in self.configs:
            raise RmsError(
                f"there is no run configuration {name!r}",
                hint=f"there are: {', '.join(self.configs)}; [tool.rms_jupyter.tracked.configs.{name}] makes one",
            )
        return self.configs[name]


def read_settings(project: str, store: Path) -> TrackedSettings:
    """Read the settings of a project.

    Raises
    ------
    RmsError
        If one is not valid; the message names it.
    """
    found: dict[str, Any] = {}
    for path, names in _places(Path(project), store):
        found |= _table_in(path, names)
    unknown = set(found) - {"paths", "exclude", "groups", "figures", "configs"}
    if unknown:
        raise _wrong(min(unknown), "there are: paths, exclude, groups, figures, configs")
    configs = {USUAL_CONFIG: RunConfig()} | {name: _config(name, own) for name, own in _table(found, "configs").items()}
    groups = {name: _texts(own, f"groups.{name}") for name, own in _table(found, "groups").items()}
    exclude = (*_EXCLUDED, *_texts(found.get("exclude", []), "exclude"))
    return TrackedSettings(configs, _texts(found.get("paths", []), "paths"), exclude, groups, _figures(found))


def _places(project: Path, store: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    for folder in (project, *project.parents):
        if (folder / "pyproject.toml").is_file():
            yield folder / "pyproject.toml", ("tool", "rms_jupyter", "tracked")
            break
    yield store / "config.toml", ("tracked",)


def _table_in(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    try:
        found: Any = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise RmsError(f"{path} cannot be read: {error}", hint="mend it") from None
    for name in names:
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _table(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = found.get(name, {})
    if not isinstance(table, dict):
        raise _wrong(name, "write a table")
    return table


def _texts(value: Any, name: str) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise _wrong(name, 'write a list of texts: ["scripts/*.py"]')
    return tuple(texts)


def _figures(found: Mapping[str, Any]) -> Formats:
    value = found.get("figures", True)
    if isinstance(value, bool):
        return USUAL if value else ()
    return formats_named(_texts(value, "figures"))


def _config(name: str, table: Any) -> RunConfig:
    if not _NAME.fullmatch(name) or not isinstance(table, dict):
        raise _wrong(f"configs.{name}", "a name is made of letters, digits, _ . -, and stands before a table")
    environment = table.get("environment", {})
    if not isinstance(environment, dict):
        raise _wrong(f"configs.{name}.environment", "write a table: { QUICK = '1', SEED = false }")
    variables = {key: _variable(f"configs.{name}.environment.{key}", value) for key, value in environment.items()}
    try:
        config = msgspec.convert({**table, "name": name, "environment": variables}, RunConfig)
    except msgspec.ValidationError as error:
        raise _wrong(f"configs.{name}", str(error)) from None
    if not config.timeout >= 0:
        raise _wrong(f"configs.{name}.timeout", "write seconds; 0 is no timeout")
    return config


def _variable(name: str, value: Any) -> str | None:
    if value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or "\0" in str(value):
        raise _wrong(name, "write a text, or false to unset it")
    return str(value)


def _wrong(name: str, hint: str) -> RmsError:
    return RmsError(f"the setting tracked.{name} is not valid", hint=hint)
