"""Source is parsed in several threads at once, as it is while a run goes on in the background."""

import subprocess
import sys

SCRIPT = """
import ast, gc, sys, threading
from rms_jupyter.fingerprint.parsing import parse
sys.setswitchinterval(1e-4)
gc.set_threshold(200)
gc.callbacks.append(lambda *told: sum(range(20)))
text = open(ast.__file__).read()[:20000].rpartition("\\n\\n\\n")[0]
failed = []

def cells():
    while any(thread.is_alive() for thread in threads):
        try:
            ast.parse(text)
        except SystemError:
            pass  # Python's own.

def ours():
    for _ in range(4):
        try:
            parse(text)
        except SystemError as error:
            failed.append(error)

threads = [threading.Thread(target=ours) for _ in range(2)]
for thread in threads:
    thread.start()
cells()
sys.exit(len(failed))
"""


def test_source_is_parsed_while_other_threads_parse_theirs():
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
