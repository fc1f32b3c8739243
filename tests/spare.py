"""An interpreter that has imported what a kernel needs, and becomes one where its standard input says.

It is started while another test runs. Until it is told its folder, nothing of a kernel exists: no shell, no namespace,
no history. So the kernel begins as a fresh one does.
"""

import json
import os
import runpy
import sys

import ipykernel.kernelapp  # noqa: F401 - this is what takes time

place = json.load(sys.stdin)
os.chdir(place["folder"])
os.environ.update(place["env"])
sys.path[0] = place["folder"]  # As `python -m` does.
runpy.run_module("ipykernel_launcher", run_name="__main__", alter_sys=True)
