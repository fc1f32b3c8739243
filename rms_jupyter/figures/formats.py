"""Are figures saved, and in which formats?  As the environment says, else as the project's `pyproject.toml` does."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rms_jupyter.errors import RmsError

Formats = tuple[str, ...]

PICTURES: Formats = ("png", "svg", "pdf", "eps")
PAGES: Formats = ("html", "json")  # Of figures that are not matplotlib's.
KNOWN: Formats = (*PICTURES, *PAGES)
USUAL: Formats = ("png", "svg")
VARIABLE = "RMS_FIGURES"
_YES, _NO = ("on", "1", "true", "yes"), ("off", "0", "false", "no", "")


def formats_named(names: Iterable[str]) -> Formats:
    """Return formats in their usual order.

    Raises
    ------
    RmsError
        If one is not known.

    Examples
    --------
    >>> formats_named(["PDF", "png"])
    ('png', 'pdf')
    """
    wanted = {name.lower().removeprefix(".") for name in names}
    if unknown := sorted(wanted.difference(KNOWN)):
        raise RmsError(f"{unknown[0]!r} is not a valid format of figures", hint=f"there are: {', '.join(KNOWN)}")
    return tuple(name for name in KNOWN if name in wanted)


def formats_in(text: str) -> Formats:
    """Return the formats in a text, with commas or spaces between.

    Examples
    --------
    >>> formats_in("svg, png")
    ('png', 'svg')
    """
    return formats_named(text.replace(",", " ").split())


def formats_wanted(folder: str | os.PathLike[str], usual: Formats = ()) -> Formats:
    """Return the formats in which figures are saved by settings; none if they are not saved.

    Parameters
    ----------
    folder : path-like
        Of the project: the nearest ``pyproject.toml`` upward counts.
    usual : tuple of str
        The formats where the settings name none.

    Raises
    ------
    RmsError
        If a setting cannot be understood.
    """
    text = os.environ.get(VARIABLE)
    settings = settings_of(Path(folder))
    usual = usual or usual_formats(settings) or USUAL
    if text is None:
        is_on = settings.get("figures", False)
        if type(is_on) is not bool:
            raise RmsError("[tool.rms_jupyter] figures in pyproject.toml is not valid", hint="write true or false")
        return usual if is_on else ()
    if text.strip().lower() in _NO:
        return ()
    return usual if text.strip().lower() in _YES else formats_in(text)


def usual_formats(settings: dict[str, Any]) -> Formats:
    """Return the formats that `pyproject.toml` names, if it does."""
    named = settings.get("figure_formats", [])
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise RmsError("[tool.rms_jupyter] figure_formats in pyproject.toml is not valid", hint='write ["png", "svg"]')
    return formats_named(named)


def formats_when_on(folder: str | os.PathLike[str]) -> Formats:
    """Return the formats in which figures are saved when that is turned on without naming any.

    Raises
    ------
    RmsError
        If a setting cannot be understood.
    """
    return formats_wanted(folder) or usual_formats(settings_of(Path(folder))) or USUAL


def settings_of(folder: Path) -> dict[str, Any]:
    """Return what the nearest ``pyproject.toml`` upward from a folder says of us."""
    for place in (folder, *folder.parents):
        try:
            text = (place / "pyproject.toml").read_text("utf-8")
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            return {}
        try:
            tool = tomllib.loads(text).get("tool", {})
        except tomllib.TOMLDecodeError:
            return {}
        found = tool.get("rms_jupyter", {}) if isinstance(tool, dict) else {}
        return found if isinstance(found, dict) else {}
    return {}
