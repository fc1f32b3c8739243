"""Who shows a figure: pyplot, which shows what is left open at the end of a cell, or we?"""

from __future__ import annotations

import sys
from typing import Any

FIGURE = "matplotlib.Figure"


def forget_figure(value: Any) -> None:
    """Take a figure that we show, or have read back, from pyplot's list, so that it is not shown twice."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and type(value).__name__ == "Figure" and type(value).__module__.startswith("matplotlib"):
        pyplot.close(value)
