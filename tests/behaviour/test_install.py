"""What does ``pip install`` bring?  The wheel is built where no Node is installed, and JupyterLab finds the extension."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NODE = {"node", "nodejs", "npm", "npx", "corepack", "yarn"}


@pytest.fixture(scope="module")
def machine_without_node(tmp_path_factory):
    """A `PATH` on which all of this machine's commands are, but for Node's."""
    folder = tmp_path_factory.mktemp("bin")
    for command in Path("/usr/bin").iterdir():
        if command.name not in NODE:
            (folder / command.name).symlink_to(command)
    assert not shutil.which("node", path=folder)
    return str(folder)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, machine_without_node):
    """A clean checkout from which the wheel beside it was built."""
    folder = tmp_path_factory.mktemp("install")
    source = folder / "source"
    for name in files_of(ROOT):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    git(source, "init", "--quiet")
    git(source, "add", "--all")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(folder), str(source)]
    subprocess.run(command, env={**os.environ, "PATH": machine_without_node}, check=True, capture_output=True)
    return source


def git(folder, *command):
    return subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True, text=True).stdout


def files_of(folder):
    """What git has or would take in, and what is still there of it."""
    names = git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return [name for name in names if name and (folder / name).is_file()]


def test_a_wheel_brings_the_extension_and_the_widgets(tmp_path, checkout):
    [wheel] = checkout.parent.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "unpacked")
    [data] = (tmp_path / "unpacked").glob("*.data/data")
    widgets = {path.name for path in (tmp_path / "unpacked/rms_jupyter/panel/static").iterdir()}
    assert widgets >= {"panel.js", "watcher.js"} and list(
        (tmp_path / "unpacked").glob("rms_jupyter/store/ask/queries/**/*.sql")
    )
    assert (tmp_path / "unpacked/rms_jupyter/py.typed").is_file()
    [scripts] = (tmp_path / "unpacked").glob("*.dist-info/entry_points.txt")
    assert "rms = rms_jupyter.cli:main" in scripts.read_text()
    command = [sys.executable, "-m", "jupyterlab.labextensions", "list"]
    env = {**os.environ, "JUPYTER_DATA_DIR": str(data / "share/jupyter"), "JUPYTER_PREFER_ENV_PATH": "0"}
    listed = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert f"{data}/share/jupyter/labextensions" in listed.stdout + listed.stderr
    assert "rms-jupyter v0.1.0" in listed.stdout + listed.stderr and "enabled" in listed.stdout + listed.stderr


def test_an_install_leaves_a_checkout_as_it_is(checkout):
    assert (checkout / "labextension" / "node_modules").is_dir()
    assert git(checkout, "diff", "--name-only") == ""
    assert git(checkout, "ls-files", "--others", "--exclude-standard") == ""


def test_packages_of_npm_are_locked_for_every_platform_and_wherever_they_come_from():
    packages = json.loads((ROOT / "labextension" / "package-lock.json").read_text())["packages"]
    wanted = {name for package in packages.values() for name in package.get("optionalDependencies", {})}
    assert wanted <= {name.rpartition("node_modules/")[2] for name in packages}
    assert not any("resolved" in package for package in packages.values())
