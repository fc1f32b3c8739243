"""Where are the programs of an environment, what is installed in it, and how is it activated?

Nothing of conda or micromamba is run: their environments are folders, which say themselves what is in them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from rms_jupyter.errors import RegistrationError
from rms_jupyter.run.call.environment import conda_folder, conda_packages, installed_in

_SCRIPTS = "etc/conda/activate.d/*.sh"
_RUN_SCRIPTS = f'for _it in "$CONDA_PREFIX"/{_SCRIPTS}; do . "$_it"; done; '
_ROOTS = ("micromamba", "mamba", "miniforge3", "mambaforge", "miniconda3", "anaconda3", ".conda")


def activated(environment: dict[str, str], prefix: str) -> dict[str, str]:
    """Return variables as they are where an environment is activated; it stands in exported scripts, too."""
    left_out = ["BASH_ENV", "ENV", *(["PYTHONPATH", "PYTHONHOME"] if prefix else [])]
    variables = {name: value for name, value in environment.items() if name not in left_out}
    if prefix:
        is_conda = os.path.isdir(os.path.join(prefix, "conda-meta"))
        variables["PATH"] = os.path.join(prefix, "bin") + os.pathsep + variables.get("PATH", os.defpath)
        variables["CONDA_PREFIX" if is_conda else "VIRTUAL_ENV"] = prefix
        if is_conda:
            variables["CONDA_DEFAULT_ENV"] = os.path.basename(prefix)
    return variables


def begin_in(prefix: str) -> str:
    """Return what bash does first: what packages of conda want to be done, which need not be careful."""
    return f"set +eu; {_RUN_SCRIPTS}unset _it; set -eu; " if prefix and any(Path(prefix).glob(_SCRIPTS)) else ""


def prefix_of(name: str) -> str:
    """Find the folder of an environment, by its path or name.

    Raises
    ------
    RegistrationError
        If there is none.
    """
    path = os.path.abspath(os.path.expanduser(name))
    places = [path] if os.path.isdir(path) else [place for place in _known() if os.path.basename(place) == name]
    found = next(filter(_is_environment, places), None)
    if found is None:
        names = ", ".join(sorted({os.path.basename(place) for place in _known()})) or "none of conda's"
        raise RegistrationError(f"there is no environment {name}", hint=f"give the path of its folder; known: {names}")
    return found


def packages_in(prefix: str) -> list[str]:
    """List what is installed in an environment: each package with its version, of conda's also the build."""
    found = {**installed_in(_site_packages(prefix)), **conda_packages(prefix)}
    return [*_versions_of_python(prefix), *(f"{name} {version}" for name, version in sorted(found.items()))]


def stamps_of(prefix: str) -> list[int]:
    """Return what changes when something is installed or removed."""
    folders = (conda_folder(prefix), *_site_packages(prefix))
    return [os.stat(folder).st_mtime_ns for folder in folders if os.path.isdir(folder)]


def _is_environment(path: str) -> bool:
    return os.path.isdir(conda_folder(path)) or os.path.isfile(os.path.join(path, "pyvenv.cfg"))


def _site_packages(prefix: str) -> list[str]:
    return sorted(map(str, Path(prefix, "lib").glob("python3*/site-packages")))


def _versions_of_python(prefix: str) -> Iterator[str]:
    """The version that a venv says it has."""
    try:
        lines = Path(prefix, "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        name, _, version = (word.strip() for word in line.partition("="))
        if name in ("version", "version_info"):
            yield f"python {version}"


def _known() -> Iterator[str]:
    """List the environments that conda and micromamba have: those in their folders, and those that conda notes."""
    home = Path.home()
    listed = os.environ.get("CONDA_ENVS_PATH") or os.environ.get("CONDA_ENVS_DIRS") or ""
    folders = [Path(folder) for folder in listed.split(os.pathsep) if folder]
    if root := os.environ.get("MAMBA_ROOT_PREFIX"):
        folders.append(Path(root, "envs"))
    if program := os.environ.get("CONDA_EXE"):
        folders.append(Path(program).parents[1] / "envs")
    for folder in (*folders, *(home / root / "envs" for root in _ROOTS)):
        yield from sorted(str(path) for path in folder.glob("*") if _is_environment(str(path)))
    try:
        noted = (home / ".conda/environments.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        noted = []
    yield from filter(_is_environment, noted)
