"""Whose code counts, and how: packages by where they are, the user's own by what it says; none takes long in silence."""

import importlib.util
import json
import os
import subprocess
import sys
import textwrap
import warnings

import pytest

import rms_jupyter as rms

FILES = 306


def write_package(folder, name="big", files=FILES, version=None):
    """Write a package of many files that all refer to one another."""
    home = folder / name
    home.mkdir(parents=True)
    (home / "__init__.py").write_text(
        f"from {name}.m0 import value\n" + (f"__version__ = {version!r}\n" if version else "")
    )
    for i in range(files - 1):
        after = f"from {name}.m{2 * i + 1} import Thing as Next, HANDLERS as NEXT\nimport {name}.m{2 * i + 2}\n"
        after = after if 2 * i + 2 < files - 1 else "Next, NEXT = object, {}"
        (home / f"m{i}.py").write_text(
            f"{after}\n\nclass Thing(Next):\n    registry = {{}}\n"
            + "".join(f"    def method{k}(self):\n        return Next, Thing\n" for k in range(20))
            + "\ndef value(x):\n    return x + 1 if Thing else None\n\nHANDLERS = {'v': value, 'next': NEXT}\n"
            + "Thing.registry.update(HANDLERS, cls=Thing)\n"
        )
    return home


def add_metadata(folder, name="big", files=(), version="1.2", **direct_url):
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    if direct_url:
        (info / "direct_url.json").write_text(json.dumps(direct_url))


SCRIPT = """
    import sys, time, json
    import rms_jupyter as rms
    import big
    def f(x):
        return big.value(x)
    with rms.open("a.rms") as s:
        began = time.monotonic()
        r = s.register_pipe(f)(1)
        seconds = time.monotonic() - began
        print(json.dumps([r.content, r.task.hit, r.task.reason, r.task.pipe.parts.get("big", ""), seconds]))
"""


def ask(project, path, script=SCRIPT):
    """Call a pipe that uses the package, in a new process; its value, whether it was a hit, why, what counted, seconds."""
    project.mkdir(exist_ok=True)
    code = f"import sys; sys.path.insert(0, {str(path)!r})\n" + textwrap.dedent(script)
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, env=plain)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_what_pip_has_put_into_a_folder_counts_by_its_version(tmp_path):
    target = tmp_path / "project" / "libs"
    write_package(target)
    add_metadata(target, files=["big/__init__.py", "big/m0.py"])
    value, hit, _, counted, seconds = ask(tmp_path / "project", target)
    assert (value, hit, counted) == (2, False, "1.2")
    assert seconds < 20
    assert ask(tmp_path / "project", target)[1]
    (target / "big-1.2.dist-info").rename(target / "big-1.3.dist-info")
    text = (target / "big-1.3.dist-info" / "METADATA").read_text()
    (target / "big-1.3.dist-info" / "METADATA").write_text(text.replace("1.2", "1.3"))
    assert ask(tmp_path / "project", target)[1:3] == [False, "code_changed big 1.2 → 1.3"]


@pytest.mark.parametrize("version", [None, "0.1"])
@pytest.mark.parametrize("editable", [False, True])
def test_a_large_package_from_elsewhere_counts_by_the_state_of_its_files(tmp_path, version, editable):
    source = tmp_path / "src"
    home = write_package(source, version=version)
    if editable:
        add_metadata(source, files=["__editable__.big.pth"], url=source.as_uri(), dir_info={"editable": True})
    project = tmp_path / "project"
    value, hit, _, counted, seconds = ask(project, source)
    assert (value, hit, len(counted)) == (2, False, 32)
    assert seconds < 20
    assert ask(project, source)[1]
    (home / "m0.py").write_text((home / "m0.py").read_text().replace("x + 1", "x + 1 + 1"))
    assert ask(project, source)[:2] == [3, False]
    (home / "data.txt").write_text("no code")
    assert ask(project, source)[1]


def test_a_large_package_of_the_project_counts_by_what_its_code_says(tmp_path):
    project = tmp_path / "project"
    home = write_package(project, files=120)
    value, hit, _, counted, _ = ask(project, project)
    assert (value, hit, counted) == (2, False, "")
    (home / "m0.py").write_text("# A comment.\n" + (home / "m0.py").read_text())
    assert ask(project, project)[1]
    (home / "m0.py").write_text((home / "m0.py").read_text().replace("x + 1", "x + 1 + 1"))
    value, hit, reason, *_ = ask(project, project)
    assert (value, hit) == (3, False)
    assert reason.startswith("code_changed big.value")


def test_a_small_module_from_elsewhere_counts_by_what_its_code_says(tmp_path):
    source = tmp_path / "src"
    source.mkdir()
    (source / "big.py").write_text("def value(x):\n    return x + 1\ndef other():\n    pass\n")
    ask(tmp_path / "project", source)
    (source / "big.py").write_text("def value(x):\n    return x + 1\ndef other():\n    return 1\n")
    assert ask(tmp_path / "project", source)[1]
    (source / "big.py").write_text("def value(x):\n    return x + 1 + 1\n")
    assert ask(tmp_path / "project", source)[:2] == [3, False]


def test_a_module_of_the_users_that_is_called_like_one_of_pythons_is_the_users(tmp_path):
    source = tmp_path / "project"
    source.mkdir()
    (source / "this.py").write_text("def value(x):\n    return x + 1\n")
    script = SCRIPT.replace("import big", "import this as big")
    assert ask(source, source, script)[0] == 2
    (source / "this.py").write_text(
        "def value(x):\n    return x + 1 + 1\n"
    )  # Of another size: Python looks at seconds.
    assert ask(source, source, script)[:2] == [3, False]


RELOADED = """
    import sys, time, json, importlib, pathlib
    import rms_jupyter as rms
    import big
    def f(x):
        return big.m0.value(x)
    with rms.open("a.rms") as s:
        p = s.register_pipe(f)
        seen = [p(1).content, p(1).task.hit]
        path = pathlib.Path(big.m0.__file__)
        path.write_text(path.read_text().replace("x + 1", "x + 22"))
        time.sleep(1.1)
        p = s.register_pipe(f)
        seen += [p(1).content, p(1).task.hit]
        importlib.reload(big.m0)
        time.sleep(1.1)
        p = s.register_pipe(f)
        seen += [p(1).content, p(1).task.hit]
        print(json.dumps(seen))
"""


def test_a_large_package_that_is_edited_runs_each_time_until_it_is_reloaded(tmp_path):
    write_package(tmp_path / "src")
    assert ask(tmp_path / "project", tmp_path / "src", RELOADED) == [2, True, 2, False, 23, True]


def test_it_is_said_when_reading_code_takes_long(tmp_path, s, monkeypatch):
    from rms_jupyter.fingerprint import patience

    said = []
    s.place.announce = said.append
    monkeypatch.setattr(patience, "_TOO_LONG", 0.0)
    s.register_pipe(lambda x: x, name="same")(1)
    assert said == ["reading the code that <lambda> rests on …"]


def test_what_is_said_meanwhile_stops_nothing_where_warnings_are_exceptions(s, monkeypatch):
    from rms_jupyter.fingerprint import patience

    monkeypatch.setattr(patience, "_TOO_LONG", 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert s.pipe(lambda x: x + 1, name="more")(1) == 2
    with pytest.warns(rms.RmsWarning, match="reading the code that <lambda> rests on"):
        s.pipe(lambda x: x + 2, name="still_more")(1)


def test_it_is_said_when_reading_a_folder_takes_long(tmp_path, s, monkeypatch):
    from rms_jupyter.fingerprint import patience

    said = []
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.txt").write_text("x")
    f = s.register_pipe(lambda path: 1, name="one")
    s.place.announce = said.append
    monkeypatch.setattr(patience, "_TOO_LONG", 0.0)
    f("d")
    assert f"reading what is in {tmp_path / 'd'} …" in said


def test_what_is_not_imported_yet_is_known_by_where_it_would_come_from(tmp_path):
    from rms_jupyter.fingerprint.origin import kind_of

    unloaded = next(name for name in ("xmlrpc", "plistlib", "telnetlib") if importlib.util.find_spec(name))
    assert kind_of(unloaded) == "stdlib"
