"""What is ready before a test asks for it is as if it began just then."""

import os
import subprocess
import sys

from jupyter_client.manager import KernelManager

from tests.kernel import Kernel

STATE = """
def _state():
    import os, sys
    shell = get_ipython()
    kept = "JPY_PARENT_PID", "JPY_SESSION_NAME", "PYTEST_CURRENT_TEST"
    return {
        "modules": sorted(sys.modules),
        "path": sys.path,
        "argv": sys.argv[:2],
        "flags": sys.flags,
        "folder": os.getcwd(),
        "environment": {name: value for name, value in os.environ.items() if name not in kept},
        "names": sorted(set(dir()) | set(shell.user_ns)),
        "history": [shell.history_manager.session_number, shell.execution_count, list(shell.history_manager.input_hist_raw)],
        "handlers": __import__("signal").getsignal(2).__name__,
    }
"""


def state(kernel):
    assert kernel.run(STATE).ok
    return eval(kernel.value("{name: repr(value) for name, value in _state().items()}"))


class Fresh(Kernel):
    """A kernel of an interpreter that is started for it."""

    def __enter__(self):
        self._manager = KernelManager(kernel_name="python3", transport="ipc", ip=str(self._folder / "k"))
        env = {**os.environ, "IPYTHONDIR": str(self._folder / ".ipython")}
        self._manager.start_kernel(cwd=str(self._folder), env=env)
        self._client = self._manager.client()
        self._client.start_channels()
        self._wait()
        return self

    def __exit__(self, *error):
        self._client.stop_channels()
        self._manager.shutdown_kernel()
        self._manager.cleanup_resources()


def test_a_kernel_whose_interpreter_was_ready_is_as_a_fresh_one(tmp_path):
    states = []
    for begin in (Fresh, Kernel, Kernel):
        folder = tmp_path / str(len(states))
        folder.mkdir()
        with begin(folder) as kernel:
            states.append({name: value.replace(str(folder), "HERE") for name, value in state(kernel).items()})
    fresh, *warm = states
    assert warm == [fresh, fresh]


def test_a_kernel_has_the_environment_of_its_test(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    with Kernel(tmp_path) as kernel:
        assert kernel.value("__import__('os').environ['PYTHONHASHSEED']") == "'7'"
        expected = subprocess.run([sys.executable, "-c", "print(hash('a'), end='')"], capture_output=True, text=True)
        assert kernel.value("hash('a')") == expected.stdout
