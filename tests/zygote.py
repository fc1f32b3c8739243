"""An interpreter that has imported modules, and forks for each script, which then begins as ``python -c`` does, but at once.

``python [OPTION...] zygote.py MODULE...``: an order is a line of JSON, its answer the script's exit status.
"""

import importlib
import json
import os
import sys
import types


def become(order):
    """Stand where an interpreter of its own would; gives the namespace of its script."""
    for number, path in enumerate((os.devnull, order["out"], order["err"])):
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["env"])
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    sys.argv[:] = ["-c", *order["arguments"]]
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    return vars(main)


for name in sys.argv[1:]:
    importlib.import_module(name)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        order = json.loads(line)
        exec(compile(order["code"], "<string>", "exec"), become(order))
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
