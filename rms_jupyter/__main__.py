"""What does ``python -m rms_jupyter`` do?  The same as ``rms``."""

from __future__ import annotations

import sys

from rms_jupyter.cli import main

if __name__ == "__main__":
    sys.exit(main())
