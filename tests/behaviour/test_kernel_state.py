"""Workers stand as the kernel does now, however long they have lived: environment, `sys.path`, imports, folder."""

import os
import sys

import pytest

pytestmark = pytest.mark.parametrize("where", ["loky", "isolated"])


@pytest.fixture
def ask(s, where):
    """Ask a function in a worker."""

    def ask(function, *args):
        pipe = s.pipe(function, isolate=where == "isolated")
        with s.plan() as plan:
            results = [pipe(*args), pipe(*args)]
        plan.run(n_jobs=2)
        return results[0].content

    assert ask(os.getpid) != os.getpid()
    return ask


def test_variables_of_the_environment(ask, monkeypatch):
    names = ["RMS_TEST_A", "RMS_TEST_B"]

    def values(names, now):
        return [os.environ.get(name) for name in names]

    monkeypatch.setenv("RMS_TEST_A", "1")
    assert ask(values, names, 1) == ["1", None]
    monkeypatch.setenv("RMS_TEST_A", "2")
    monkeypatch.setenv("RMS_TEST_B", "3")
    assert ask(values, names, 2) == ["2", "3"]
    monkeypatch.delenv("RMS_TEST_A")
    assert ask(values, names, 3) == [None, "3"]


def test_modules_in_a_folder_that_sys_path_names_now(ask, tmp_path, monkeypatch):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "own_tools.py").write_text("ANSWER = 42\n")

    def answer():
        import own_tools

        return own_tools.ANSWER

    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    assert ask(answer) == 42
    sys.modules.pop("own_tools", None)
    sys.path.remove(str(tmp_path / "lib"))
    assert str(tmp_path / "lib") not in ask(lambda: list(sys.path))


def test_what_an_import_in_the_notebook_did_beside_giving_a_module(ask, tmp_path, monkeypatch):
    """An accessor that `import accessors` has put on every frame is there in workers too."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "accessors.py").write_text(
        "import pandas as pd\n@pd.api.extensions.register_series_accessor('own')\n"
        "class Own:\n    def __init__(self, series):\n        self.series = series\n"
        "    def total(self):\n        return float(self.series.sum())\n"
    )
    import importlib

    monkeypatch.setattr(sys.modules["__main__"], "accessors", importlib.import_module("accessors"), raising=False)

    def total(n):
        import pandas as pd

        return pd.Series([1.0] * n).own.total()

    assert ask(total, 3) == 3.0
