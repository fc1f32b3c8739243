"""Loading the extension costs next to nothing: what a session needs is imported when one is opened."""

import subprocess
import sys

HEAVY = {"pandas", "numpy", "distributed", "anywidget", "networkx", "duckdb", "pyarrow", "joblib", "xxhash", "email"}
CODE = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
shell.run_line_magic("load_ext", "rms_jupyter")
print(" ".join({name.partition(".")[0] for name in set(sys.modules) - before}))
"""


def test_loading_the_extension_imports_nothing_heavy():
    loaded = set(
        subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout.split()
    )
    assert "rms_jupyter" in loaded
    assert not loaded & HEAVY
