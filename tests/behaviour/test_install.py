"""What does ``pip install`` bring?  The wheel is built where no Node is installed, and JupyterLab finds the extension."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NODE = {"node", "nodejs", "npm", "npx", "corepack", "yarn"}


@pytest.fixture
def machine_without_node(tmp_path):
    """A `PATH` on which all of this machine's commands are, but for Node's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for command in Path("/usr/bin").iterdir():
        if command.name not in NODE:
            (folder / command.name).symlink_to(command)
    assert not shutil.which("node", path=folder)
    return str(folder)


def test_a_wheel_brings_the_extension_and_the_widgets(tmp_path, machine_without_node):
    source = tmp_path / "source"
    leave = shutil.ignore_patterns(".*", "node_modules", "lib", "static", "__pycache__")
    shutil.copytree(ROOT, source, ignore=leave)
    shutil.rmtree(source / "rms_jupyter" / "labextension", ignore_errors=True)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(source)]
    subprocess.run(command, env={**os.environ, "PATH": machine_without_node}, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "unpacked")
    [data] = (tmp_path / "unpacked").glob("*.data/data")
    widgets = {path.name for path in (tmp_path / "unpacked/rms_jupyter/panel/static").iterdir()}
    assert widgets >= {"panel.js", "watcher.js"} and list(
        (tmp_path / "unpacked").glob("rms_jupyter/store/queries/**/*.sql")
    )
    assert (tmp_path / "unpacked/rms_jupyter/py.typed").is_file()
    command = [sys.executable, "-m", "jupyterlab.labextensions", "list"]
    env = {**os.environ, "JUPYTER_DATA_DIR": str(data / "share/jupyter"), "JUPYTER_PREFER_ENV_PATH": "0"}
    listed = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert f"{data}/share/jupyter/labextensions" in listed.stdout + listed.stderr
    assert "rms-jupyter v0.1.0" in listed.stdout + listed.stderr and "enabled" in listed.stdout + listed.stderr
