"""How a benchmark hands its rows over."""

from __future__ import annotations

import json


def report(rows: list[dict[str, str]]) -> None:
    """Print rows of ``what, here, beside, bound`` for the table."""
    print(json.dumps(rows))
