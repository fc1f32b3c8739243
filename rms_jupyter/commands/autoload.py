"""Is the extension loaded in every notebook?

By a file among those that IPython runs as it starts. A list of extensions in IPython's configuration would take the
place of one that the user has there.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.errors import RmsError
from rms_jupyter.store.full import reason

_NAME = "50-rms_jupyter.py"
_LOADS = """\
# `rms autoload` has written this; `rms autoload --off` removes it. Where rms_jupyter is not installed, it does nothing.
if __import__("importlib.util").util.find_spec("rms_jupyter"):
    get_ipython().extension_manager.load_extension("rms_jupyter")
"""


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser("autoload", "Load rms_jupyter in every notebook of yours, without %load_ext.", needs_session=False)
    parser.flag("--off", help="load it only where %%load_ext does")
    return parser


def command(session: Any, options: argparse.Namespace, namespace: Mapping[str, Any]) -> str:
    """Write or remove the file, and say what a new kernel does."""
    file = _folder() / _NAME
    try:
        if options.off:
            file.unlink(missing_ok=True)
            return "kernels that start from now on load rms_jupyter where %load_ext rms_jupyter says so"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_LOADS, "utf-8")
    except OSError as error:
        raise RmsError(f"{file}: {reason(error)}", hint="%load_ext rms_jupyter loads it in one notebook") from None
    return f"kernels that start from now on load rms_jupyter, by {file}; rms autoload --off ends that"


def _folder() -> Path:
    """Where IPython's profile has the files that run as it starts."""
    from IPython import get_ipython
    from IPython.paths import get_ipython_dir

    shell = get_ipython()
    return Path(shell.profile_dir.startup_dir if shell else f"{get_ipython_dir()}/profile_default/startup")
