"""How the cells of a notebook stand: never run, up to date, changed since (and why), running, failed, cancelled."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.kernel import FrontEnd, Kernel

LOAD = "%%rms\ndef load(path):\n    return [float(line) for line in open(path)]"
LATE = "%%rms\ndef late(delays, cutoff=None):\n    return [d for d in delays if d > (cutoff or CUTOFF)]"
CALLS = "%%rms\ndelays = load('delays.txt')\nfound = late(delays)"


class Notebook:
    """Cells by their ids, as a front end holds them."""

    def __init__(self, kernel, front_end, **cells):
        self.kernel, self.front_end, self.cells = kernel, front_end, cells

    def run(self, *idents):
        """Run cells; gives the last one's outcome."""
        for ident in idents:
            ran = self.kernel.run(self.cells[ident], cell=ident)
        return ran

    def edit(self, ident, old, new):
        """Edit a cell."""
        assert old in self.cells[ident]
        self.cells[ident] = self.cells[ident].replace(old, new)

    def standing(self, ident):
        """How a cell stands: its state, and why."""
        cells = [{"id": ident, "code": code} for ident, code in self.cells.items()]
        answer = self.front_end.ask({"ask": "cells", "cells": cells})
        found = answer["cells"][ident]
        return found["state"], found["why"]

    def state(self, ident):
        """How a cell stands, in one word."""
        return self.standing(ident)[0]


@pytest.fixture
def flights(kernel, front_end, tmp_path):
    """A notebook whose cells have run."""
    (tmp_path / "delays.txt").write_text("10\n35\n60\n")
    cells = {"open": "%rms open demo.rms", "load": LOAD, "cut": "CUTOFF = 30", "late": LATE, "calls": CALLS}
    notebook = Notebook(kernel, front_end, **cells)
    assert notebook.run("open", "load", "cut", "late").ok
    assert notebook.state("calls") == "never_run"
    assert notebook.run("calls").ok
    assert [notebook.state(ident) for ident in ("load", "late", "calls")] == ["defines", "defines", "current"]
    return notebook


def again(tmp_path):
    """Another kernel, as after a restart."""
    return Kernel(tmp_path)


def test_an_edited_cell_has_changed_until_it_is_run_or_taken_back(flights):
    flights.edit("late", "d > (", "d >= (")
    assert flights.standing("late") == ("stale", "late edited")
    assert flights.state("calls") == "current", "what was edited was not run"
    flights.edit("late", "d >= (", "d > (")
    assert flights.state("late") == "defines"
    flights.edit("late", "d > (", "d > ( ")
    flights.edit("late", "cutoff=None):\n", "cutoff=None):\n    '''Those that are late.'''\n    # sorted\n")
    assert flights.state("late") == "defines", "layout, comments and docstrings do not count"
    flights.edit("calls", "late(delays)", "late(delays, 20)")
    assert flights.standing("calls") == ("stale", "edited")
    flights.run("calls")
    assert flights.state("calls") == "current"


def test_a_cell_has_changed_when_the_code_that_it_calls_has(flights):
    flights.edit("late", "d > (", "d >= (")
    flights.run("late")
    assert flights.state("late") == "defines"
    assert flights.standing("calls") == ("stale", "late: code_changed late")
    why = flights.kernel.run("%rms why found").shown
    assert "it would run" in why and "code_changed late" in why
    flights.run("calls")
    assert flights.state("calls") == "current"


def test_a_cell_has_changed_when_a_global_that_its_pipes_read_has(flights):
    flights.cells["cut"] = "CUTOFF = 40"
    flights.run("cut")
    assert flights.standing("calls") == ("stale", "late: input_changed CUTOFF 30 → 40")
    flights.cells["cut"] = "CUTOFF = 30"
    flights.run("cut")
    assert flights.state("calls") == "current"


def test_a_cell_has_changed_when_a_file_that_it_read_has(flights, tmp_path):
    (tmp_path / "delays.txt").write_text("10\n350\n600\n")
    assert flights.standing("calls") == ("stale", "load: input_changed delays.txt")


def test_a_cell_has_changed_when_a_variable_that_it_reads_holds_another_value(flights):
    flights.cells |= {"given": "limit = 20", "uses": "%%rms\nmore = late(delays, limit)"}
    flights.run("given", "uses")
    assert flights.state("uses") == "current"
    flights.cells["given"] = "limit = 50"
    flights.run("given")
    assert flights.standing("uses") == ("stale", "limit 20 → 50")
    flights.run("uses")
    flights.kernel.run("delays = load('delays.txt') + [100.0]")
    assert flights.state("uses") == "current", "a plain value is not compared"
    flights.kernel.run("open('more.txt', 'w').write('70'); delays = load('more.txt')")
    assert flights.standing("uses") == ("stale", "delays changed")


def test_a_cell_has_changed_when_what_its_inputs_were_made_from_has(flights, tmp_path):
    flights.cells |= {"uses": "%%rms\nmore = late(delays, 20)"}
    flights.run("uses")
    (tmp_path / "delays.txt").write_text("10\n350\n600\n")
    assert flights.standing("uses") == ("stale", "load: input_changed delays.txt")
    flights.run("calls")
    assert flights.standing("uses") == ("stale", "delays changed")
    flights.run("uses")
    assert flights.state("uses") == "current"


def test_what_failed_and_what_was_interrupted_are_told_apart(flights):
    flights.cells |= {
        "bad": "%%rms\nload('absent<b>.txt')",
        "syntax": "%%rms\ndef f(:",
        "long": "%%rms\nimport time\ntime.sleep(60)",
    }
    flights.run("bad", "syntax")
    assert flights.standing("bad")[0] == "failed" and "FileNotFoundError" in flights.standing("bad")[1]
    assert flights.standing("syntax")[0] == "failed" and "SyntaxError" in flights.standing("syntax")[1]
    threading.Timer(1.0, lambda: os.kill(flights.kernel.pid, signal.SIGINT)).start()
    flights.run("long")
    assert flights.standing("long")[0] == "cancelled"
    flights.edit("long", "60", "0")
    assert flights.state("long") == "stale"
    flights.run("long")
    assert flights.state("long") == "current"


def test_a_cell_runs_as_long_as_the_run_that_it_began(flights, tmp_path):
    nap = "import pathlib, time\ndef nap(i):\n    pathlib.Path(f'begun{i}').touch()\n    time.sleep(60)\nrs = [nap(1)]"
    flights.cells |= {"busy": f"%%rms run -j 2\n{nap}", "back": f"%%rms run --background -j 2\n{nap.replace('1', '2')}"}
    flights.run("back")
    assert flights.state("back") == "running"
    assert flights.front_end.ask({"ask": "stop", "cell": "back"})["stopped"]
    give_up = time.monotonic() + 20
    while flights.state("back") == "running" and time.monotonic() < give_up:
        time.sleep(0.1)
    assert flights.standing("back") == ("cancelled", "stopped by you; what has finished is kept")
    flights.kernel._client.session.metadata = {"cellId": "busy"}
    flights.kernel._client.execute(flights.cells["busy"], stop_on_error=False)
    while not (tmp_path / "begun1").exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    assert flights.state("busy") == "running"
    flights.front_end.ask({"ask": "stop", "cell": "busy"})
    while flights.state("busy") == "running" and time.monotonic() < give_up:
        time.sleep(0.1)
    assert flights.standing("busy")[0] == "cancelled" and "1 cancelled" in flights.standing("busy")[1]


def test_a_failure_in_the_background_is_the_cells(flights):
    flights.cells |= {"back": "%%rms run --background -j 1\nr = load('absent')"}
    flights.run("back")
    give_up = time.monotonic() + 20
    while flights.state("back") == "running" and time.monotonic() < give_up:
        time.sleep(0.1)
    assert flights.standing("back")[0] == "failed" and "FileNotFoundError" in flights.standing("back")[1]


def test_a_failure_in_the_background_is_the_cells_however_soon_it_comes(flights):
    flights.cells |= {"back": "%%rms run --background -j 1\nr = load('absent')"}
    flights.kernel.run(
        "import threading\nstart = threading.Thread.start\n"
        "threading.Thread.start = lambda self: (start(self), self.name == 'rms-run' and self.join())"
    )
    flights.run("back")
    assert flights.standing("back")[0] == "failed" and "FileNotFoundError" in flights.standing("back")[1]


def test_the_next_kernel_knows_from_the_record(flights, tmp_path):
    flights.cells |= {"bad": "%%rms\nload('absent.txt')"}
    flights.run("bad")
    flights.kernel.kill()
    with again(tmp_path) as kernel:
        kernel.run("%load_ext rms_jupyter\n%rms open demo.rms")
        notebook = Notebook(kernel, FrontEnd(kernel), **flights.cells)
        assert notebook.state("calls") == "current" and notebook.state("cut") == "never_run"
        assert notebook.standing("bad")[0] == "failed" and "FileNotFoundError" in notebook.standing("bad")[1]
        notebook.edit("calls", "late(delays)", "late(delays, 20)")
        assert notebook.standing("calls") == ("stale", "edited")
        notebook.edit("calls", "late(delays, 20)", "late(delays)")
        notebook.edit("late", "d > (", "d >= (")
        notebook.run("load", "cut", "late")
        assert notebook.standing("calls") == ("stale", "late: code_changed late")
        notebook.edit("late", "d >= (", "d > (")
        notebook.run("late")
        assert notebook.state("calls") == "current"
        notebook.run("calls")
        assert notebook.state("calls") == "current"


def test_what_a_cell_ran_once_with_the_code_it_has_now_counts(flights, tmp_path):
    flights.edit("calls", "late(delays)", "late(delays, 20)")
    flights.run("calls")
    flights.edit("calls", "late(delays, 20)", "late(delays)")
    with again(tmp_path) as kernel:
        kernel.run("%load_ext rms_jupyter\n%rms open demo.rms")
        notebook = Notebook(kernel, FrontEnd(kernel), **flights.cells)
        assert notebook.state("calls") == "current"
        notebook.edit("calls", "late(delays)", "late(delays, 25)")
        assert notebook.state("calls") == "stale"


def test_a_cell_that_is_a_pipe_stands_as_its_call(flights):
    flights.cells |= {"cell": "%%rms cell -o total\ntotal = sum(x) + limit", "given": "x = [1, 2]; limit = 3"}
    flights.run("given", "cell")
    assert flights.state("cell") == "current"
    flights.cells["given"] = "x = [1, 2]; limit = 4"
    flights.run("given")
    assert flights.standing("cell") == ("stale", "limit 3 → 4")


def test_thousands_of_cells_are_told_at_once_and_looked_at_in_turn(flights, tmp_path):
    many = [f"%%rms\nx{i} = late(delays, {i})" for i in range(1, 1501)]
    flights.cells |= {f"c{i}": code for i, code in enumerate(many)}
    flights.kernel.run(
        "from rms_jupyter.run.call.cell_runtime import Cell\nplace = rms.current().place\n"
        f"for i in range(1500):\n    place.enter(Cell(ident=f'c{{i}}', code={many!r}[i], count=1))\n"
        "    late(delays, i + 1)\n    place.cell.end()"
    )
    (tmp_path / "delays.txt").write_text("10\n350\n600\n")
    cells = [{"id": ident, "code": code} for ident, code in flights.cells.items()]
    standings, asked = {}, 0
    while asked < 20 and not (standings and all(found["looked"] for found in standings.values())):
        began = time.monotonic()
        answer = flights.front_end.ask({"ask": "cells", "cells": cells})["cells"]
        assert time.monotonic() - began < 10
        standings |= {ident: found for ident, found in answer.items() if found["looked"]} if asked else answer
        asked += 1
    assert {standings[f"c{i}"]["state"] for i in range(1500)} == {"stale"}


# Cells that are pipes ---------------------------------------------------------------------------------------------------


def in_two_kernels(tmp_path, *cells):
    """Run cells in a kernel, and again in a fresh one; give their outcomes in both."""
    runs = []
    for _ in range(2):
        with again(tmp_path) as kernel:
            kernel.run("%load_ext rms_jupyter")
            runs.append([kernel.run(code, cell=f"cell-{i}") for i, code in enumerate(cells)])
    return runs


def is_hit(ran):
    """Whether the store answered a cell."""
    return " hit, saved" in ran.shown


def why_it_ran(ran):
    """Why a cell is not answered from the store, as its last line says."""
    return ran.displays[-1]["text/plain"].partition("not_cached ")[2]


def outputs(ran):
    """What a cell shows, but for remarks: text, displays, last value, error."""
    shown = [d["text/plain"] for d in ran.displays if "text/plain" in d and "<div style" not in d.get("text/html", "")]
    return ran.text, shown, ran.result, ran.ok


SAME_AFTER_A_RESTART = {
    "names of all kinds": ("%%rms cell\n_a, b = 1, [2]\nfor i in range(3):\n    pass\nx: int = 3", "(_a, b, i, x)"),
    "an underscore as a name": ("%%rms cell\nfor _ in range(4):\n    pass\nprint('looped')", "_"),
    "an underscore that is deleted": ("%%rms cell\nt, _ = 1, 2\ndel _\nt;", "_"),
    "exec, globals and del": (
        "%%rms cell\nexec('made = 4')\nglobals()['other'] = 5\nt = 1\ndel t",
        "(made, other, 't' in globals())",
    ),
    "a global of a function": ("%%rms cell\ndef bump():\n    global n\n    n = 7\nbump()", "n"),
    "imports under try and if": (
        "%%rms cell\ntry:\n    import absent_package\nexcept ImportError:\n    absent_package = None\n"
        "if True:\n    import math as m\n    def half(x):\n        return x / 2\ny = m.floor(half(5))",
        "(absent_package, m.pi, half(3), y)",
    ),
    "the last value": ("%%rms cell\nz = [1]\nz", "(_ is z, Out[max(Out)] == [1])"),
    "no last value": ("%%rms cell\nz = [1]\nz;", "(z, 'z' in str(Out))"),
    "walrus and comprehension": ("%%rms cell\nr = [(last := i) for i in range(4)]", "(r, last, i)"),
    "aliases": ("%%rms cell\nb = a\nc = {'k': b, 'inner': a[0]}", "(b is a, c['k'] is a, c['inner'] is a[0])"),
    "changed in place": (
        "%%rms cell\na.append(3)\na[0].append(9)\nheld = a[0]",
        "(a, alias is a, first is a[0], held is first)",
    ),
    "another order": (
        "%%rms cell\nordered.move_to_end('x')\nnext(iter(ordered))",
        "(ordered, list(ordered), next(iter(ordered['y'])))",
    ),
    "added to": ("%%rms cell\ncount += 1\nv += 1", "(count, v.tolist())"),
    "added to in a function": ("%%rms cell\ndef bump():\n    global count\n    count += 1\nbump()", "count"),
    "deleted where it was made or not": ("%%rms cell\nif not a:\n    gone = 2\ndel gone", "'gone' in globals()"),
    "replaced inside": ("%%rms cell\na[0] = [8]", "(a, first)"),
    "a function sees names as they are": ("%%rms cell\ndef area(r):\n    return PI * r\narea(1)", "(area(1), PI)"),
    "instances": (
        "%%rms cell\nclass P:\n    def __init__(self, x):\n        self.x = x\np = P(3)\nq = P(a)",
        "(type(p) is P, isinstance(q, P), q.x is a)",
    ),
    "named tuples and defaults": (
        "%%rms cell\nfrom collections import namedtuple\nN = 5\nPair = namedtuple('Pair', 'x y')\n"
        "def add(x, n=N):\n    return x + n\npair = Pair(add(1), 2)",
        "(type(pair) is Pair, add(2), pair)",
    ),
    "arrays": (
        "%%rms cell\nhalf = v[:2]\nv += 1\nw = v.reshape(2, 2).T",
        "(v.tolist(), half.tolist(), np.shares_memory(v, half), np.shares_memory(v, w), w.tolist())",
    ),
    "the parameters of a function": (
        "%%rms cell\nT = 2\ndef calc(b, T):\n    return b * T\ncalc(3, 4)",
        "(calc(1, 2), T)",
    ),
}


def test_what_a_cell_imports_after_it_has_set_what_that_looks_at_sees_it(tmp_path):
    (tmp_path / "lib" / "site-packages").mkdir(parents=True)
    for folder in ("lib", "lib/site-packages"):
        name = "of_theirs" if "site" in folder else "of_mine"
        (tmp_path / folder / f"{name}.py").write_text("import os\nflag = os.environ.get('A_FLAG')")
    cells = [
        "import os, sys\nsys.path[:0] = [os.path.abspath(f) for f in ('lib', 'lib/site-packages')]",
        "%%rms cell\nos.environ['A_FLAG'] = 'on'\nimport of_theirs\nfrom of_mine import flag\nboth = of_theirs.flag, flag",
        "print(both, of_theirs.flag, flag)",
        "%%rms cell\nwith open('lib/of_now.py', 'w') as file:\n    _ = file.write('x = 1')\nimport of_now\nx = of_now.x",
        "print(x, of_now.x)\nwith open('lib/of_now.py', 'w') as file:\n    _ = file.write('x = 222')",
    ]
    for ran in in_two_kernels(tmp_path, *cells):
        assert [ran[n].text for n in (2, 4)] == ["('on', 'on') on on\n", "1 1\n"]


def test_a_cell_leaves_on_a_hit_what_it_left_when_it_ran(tmp_path):
    given = "import numpy as np\nPI, first = 3.0, [1]\na = alias = [first, 2]\nv = np.arange(4.0)\ni = 'mine'\n"
    given += "from collections import OrderedDict\nordered = OrderedDict(x=OrderedDict(p=1, q=2), y=OrderedDict(r=3))"
    given += "\ncount = gone = 1"
    after = "PI = 4.0\nprint(area(1) if 'area' in globals() else 0)"
    cells = [c for code, asked in SAME_AFTER_A_RESTART.values() for c in (given, code, f"print({asked})", after)]
    with again(tmp_path) as kernel:
        plain = [kernel.run(code.removeprefix("%%rms cell\n")) for code in cells]
    first, second = in_two_kernels(tmp_path, *cells)
    for n, kind in enumerate(SAME_AFTER_A_RESTART):
        mine = slice(4 * n, 4 * n + 4)
        assert first[mine][1].ok and not is_hit(first[mine][1]), (kind, first[mine][1].shown)
        assert is_hit(second[mine][1]), (kind, second[mine][1].shown)
        for ran in (first[mine], second[mine]):
            assert [outputs(cell) for cell in ran] == [outputs(cell) for cell in plain[mine]], kind


@pytest.mark.parametrize("pipe", ["%%rms cell\n", "%%rms\n"])
def test_the_parts_of_a_dict_are_found_by_its_order_however_it_came_to_that(tmp_path, pipe):
    body = "turned['x'].append(7)\nheld = turned['y']"
    code = pipe + (body if "cell" in pipe else f"def take(turned):\n    {body.replace(chr(10), chr(10) + '    ')}\n")
    code += "" if "cell" in pipe else "    return held\nheld = take(turned)"
    shown = []
    for made in ("OrderedDict(y=[2], x=[1])", "OrderedDict(x=[1], y=[2])\nturned.move_to_end('x')"):
        with again(tmp_path) as kernel:
            kernel.run("%load_ext rms_jupyter")
            kernel.run(f"from collections import OrderedDict\nturned = {made}")
            shown.append(kernel.run(code))
            asked = kernel.run("print(list(turned.items()), held is turned['y'])")
            assert asked.text == "[('y', [2]), ('x', [1, 7])] True\n", asked.shown
    assert is_hit(shown[1]) and not is_hit(shown[0]), shown[1].shown


MUST_RUN = {
    "the environment": ("%%rms cell\nimport os\nos.environ['LAB'] = 'x'", "import os\nprint(os.environ.get('LAB'))"),
    "the environment by a method": (
        "%%rms cell\nimport os\nos.environ.update(LAB='x')",
        "import os\nprint(os.environ.get('LAB'))",
    ),
    "sys.path": ("%%rms cell\nimport sys\nsys.path.append('/nowhere')", "import sys\nprint('/nowhere' in sys.path)"),
    "a seed": ("%%rms cell\nimport random\nrandom.seed(3)", "print(random.random())"),
    "a seed of numpy": ("%%rms cell\nimport numpy as np\nnp.random.seed(3)", "print(np.random.rand())"),
    "an option of pandas": (
        "%%rms cell\nimport pandas as pd\npd.set_option('display.precision', 2)",
        "print(pd.get_option('display.precision'))",
    ),
    "an option of numpy": (
        "%%rms cell\nimport numpy as np\nnp.set_printoptions(precision=2)\nz = 1",
        "print(np.array([1.23456]), z)",
    ),
    "rcParams": (
        "%%rms cell\nimport matplotlib\nmatplotlib.rc('font', size=7)",
        "print(matplotlib.rcParams['font.size'])",
    ),
    "a generator": ("%%rms cell\nprint('made')\ng = (i for i in range(3))", "print(next(g))"),
    "a file": ("%%rms cell\nprint('opened')\nf = open('f.txt', 'w')", "print(f.closed)"),
    "a pipe of the system": ("%%rms cell\nimport os\nr, w = os.pipe()", "print(os.write(w, b'ab'), os.read(r, 2))"),
    "a look into a buffer": (
        "%%rms cell\nb = bytearray(2)\nlook = memoryview(b)\nprint('made')",
        "look[0] = 7\nprint(b)",
    ),
    "an array that looks into a buffer": (
        "%%rms cell\nimport numpy as np\nb = bytearray(2)\na = np.frombuffer(b, 'u1')",
        "a[0] = 7\nprint(b)",
    ),
    "a function from a function": (
        "%%rms cell\ndef outer(n):\n    def inner():\n        return n\n    return inner\nf = outer(3)",
        "print(f())",
    ),
    "a lambda in a list": ("%%rms cell\nfs = [lambda: PI]", "PI = 2\nprint(fs[0]())"),
    "a class from a function": ("%%rms cell\nK = type('K', (), {'n': 2})\nk = K()", "print(type(k) is K)"),
    "a default that grows": (
        "%%rms cell\ndef rem(x, seen=[]):\n    seen.append(x)\n    return seen\nr = rem(1)",
        "print(rem(2))",
    ),
    "an attribute of a class": (
        "%%rms cell\nclass C:\n    count = 0\n    def __init__(self):\n        type(self).count += 1\nc = C()",
        "print(C.count)",
    ),
    "a register that functions enter": (
        "%%rms cell\nnames = []\ndef enter(f):\n    names.append(f.__name__)\n    return f\n@enter\ndef one():\n    pass",
        "print(names)",
    ),
    "a register that classes enter": (
        "%%rms cell\nnames = []\nclass Base:\n    def __init_subclass__(cls):\n        names.append(cls.__name__)\n"
        "class A(Base):\n    pass",
        "print(names)",
    ),
    "a list that a definition changes": (
        "%%rms cell\nnames = ['x']\n@(lambda to: lambda f: to.append(f.__name__))(names)\ndef two():\n    pass",
        "print(names)",
    ),
    "a variable of a module": ("%%rms cell\nimport counted\nx = counted.count()", "print(x, counted.calls)"),
    "a patched module": ("%%rms cell\nimport math\nmath.tau2 = 2 * math.tau\nx = 1", "print(x, math.tau2)"),
    "nothing to be seen": ("%%rms cell\nimport time\ntime.sleep(0.01)", "print(1)"),
    "a file that its text does not name": (
        "%%rms cell\nfor n in range(2):\n    with open(f'made{n}.txt', 'w') as out:\n        out.write('x')\ndel out",
        "import os\nprint(os.path.exists('made1.txt'))\nos.remove('made1.txt')",
    ),
    "a magic": ("%%rms cell\n%env LAB=1", "import os\nprint(os.environ['LAB'])"),
    "awaiting": ("%%rms cell\nimport asyncio\nx = await asyncio.sleep(0, 5)\nx", "print(x)"),
    "a look at its caller": (
        "%%rms cell\nimport sys\ndef asked():\n    return sys._getframe(1).f_globals.get('RATE', 1)\nx = asked()",
        "print(x)",
    ),
    "a view of a dict": (
        "%%rms cell\nimport types\nbase = {'a': 1}\nview = types.MappingProxyType(base)",
        "base['a'] = 2\nprint(view['a'])",
    ),
    "a filter of warnings": (
        "%%rms cell\nimport warnings\nwarnings.simplefilter('error')",
        "print(warnings.filters[0][0])",
    ),
    "a limit of csv": ("%%rms cell\nimport csv\ncsv.field_size_limit(77)\nx = 1", "print(csv.field_size_limit())"),
    "a type of files": (
        "%%rms cell\nimport mimetypes\nmimetypes.add_type('x/lab', '.lab')\nx = 1",
        "print(mimetypes.guess_type('a.lab'))",
    ),
    "a colormap": (
        "%%rms cell\nimport matplotlib as mpl\n"
        "mpl.colormaps.register(mpl.colors.ListedColormap(['red'], name='lab'))\nx = 1",
        "print('lab' in mpl.colormaps)",
    ),
    "an option of dask": (
        "%%rms cell\nimport dask.array\ndask.config.set({'array.chunk-size': '1MiB'})\nx = 1",
        "print(dask.config.get('array.chunk-size'))",
    ),
    "the folder": ("%%rms cell\nimport os\nos.chdir('..')\nx = 1", "import os\nprint(x, len(os.getcwd()) > 0)"),
}


def test_what_cannot_be_brought_back_runs_once_and_says_so(tmp_path):
    (tmp_path / "counted.py").write_text("calls = 0\ndef count():\n    global calls\n    calls += 1\n    return 7\n")
    first, second = in_two_kernels(tmp_path, *[c for pair in MUST_RUN.values() for c in pair])
    for n, kind in enumerate(MUST_RUN):
        for ran in (first[2 * n : 2 * n + 2], second[2 * n : 2 * n + 2]):
            assert ran[0].ok and ran[1].ok, (kind, ran[0].error + ran[1].error)
            assert why_it_ran(ran[0]), (kind, ran[0].shown)
            assert ran[0].text.count("made") <= 1 and ran[0].text.count("opened") <= 1, kind
    assert [outputs(ran) for ran in first] == [outputs(ran) for ran in second]


SHOWN = """%%rms cell
import sys, warnings
from IPython.display import clear_output, display, HTML
print("one")
print("two", file=sys.stderr)
shown = display(HTML("<b>first</b>"), display_id="mine")
print("three")
display(HTML("<i>changed</i>"), display_id="mine", update=True)
warnings.warn("careful")
[1, 2]"""


def messages(ran):
    """Everything that a cell sent, in order, remarks aside."""
    return text_of(ran), [d for d in ran.seen if "<div style" not in d.get("text/html", "")], ran.result


def text_of(ran):
    """What a cell printed; the number of the kernel, which is in the names of cells, does not count."""
    return re.sub(r"ipykernel_\d+", "ipykernel", ran.text)


def test_a_hit_shows_all_again_in_order(tmp_path):
    first, second = in_two_kernels(tmp_path, SHOWN)
    assert is_hit(second[0])
    assert messages(first[0]) == messages(second[0])
    assert first[0].text.count("careful") == 2, "the warning and its line"
    assert [next(iter(d.values())) for d in messages(first[0])[1]]


def test_a_pipe_prints_again_what_it_printed(tmp_path):
    define = (
        "%%rms\nimport sys, warnings\ndef talk(n):\n    print('out', n)\n    print('err', n, file=sys.stderr)\n"
        "    display(n)\n    print('end')\n    warnings.warn('careful')\n    return n"
    )
    first, second = in_two_kernels(tmp_path, define, "talk(1);", "talk(1); talk(1);")
    assert [ran.text.count("careful") for ran in first[1:]] == [2, 2], "once in a cell, as Python repeats warnings"
    assert sorted(text_of(first[1]).splitlines()) == sorted(text_of(second[1]).splitlines())
    assert sorted(text_of(first[2]).splitlines()) == sorted(text_of(second[2]).splitlines())
    assert second[2].text.count("out 1") == 2


def test_figures_are_shown_once_and_are_there_again(tmp_path):
    inline = "%matplotlib inline\nimport matplotlib.pyplot as plt"
    held = "%%rms cell\nfig, ax = plt.subplots()\nax.plot([1, 2, 3]);"
    first, second = in_two_kernels(tmp_path, inline, held, "print(len(ax.lines), ax.figure is fig)")
    for ran in (first, second):
        assert [("image/png" in d) for d in ran[1].displays].count(True) == 1
        assert ran[2].text == "1 True\n"
    assert is_hit(second[1])


def test_figures_left_open_are_open_again(tmp_path):
    begin = "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt"
    cells = (
        begin,
        "%%rms cell\nplt.plot([1, 2]);\nax = plt.gca()",
        "print(plt.gca() is ax, len(plt.gca().lines), plt.get_fignums())",
    )
    first, second = in_two_kernels(tmp_path, *cells)
    assert is_hit(second[1]) and first[2].text == second[2].text == "True 1 [1]\n"


def test_names_assigned_before_an_exception_stay_and_the_exceptions_own_goes(tmp_path):
    cells = (
        "%%rms cell\nx = 1\n1 / 0",
        "print(x)",
        "%%rms cell\ntry:\n    1 / 0\nexcept ZeroDivisionError as e:\n    y = str(e)",
        "print(y, 'e' in globals())",
    )
    for ran in in_two_kernels(tmp_path, *cells):
        assert "ZeroDivisionError" in ran[0].error and ran[1].text == "1\n"
        assert ran[3].text == "division by zero False\n"


def test_cells_are_pipes_by_their_place(kernel):
    kernel.run("x = []", cell="a0")
    kernel.run("%%rms cell\nx.append(1)", cell="0a1b2c3d-1")
    kernel.run("%%rms cell\nx.append(2)", cell="1a1b2c3d-2")
    changed = kernel.run("%%rms cell\nx.append(3)", cell="1a1b2c3d-2")
    assert "cell_1a1b2c3d" in changed.shown and "0a1b2c3d" not in changed.shown
    assert kernel.value("x") == "[1, 2, 3]"


def test_what_a_notebook_deletes_is_let_go_of(kernel):
    kernel.run("import gc, weakref\nclass Big:\n    pass")
    kernel.run("%%rms\ndef load(n):\n    return [Big() for _ in range(n)]")
    kernel.run("%%rms cell\none = Big()")
    kernel.run("%%rms\nmany = load(3)")
    kernel.run("refs = [weakref.ref(x) for x in [one, *many]]")
    kernel.run("%%rms cell\ndel one, many\nprint('deleted')")
    assert kernel.run("gc.collect(); [r() for r in refs]").result == "[None, None, None, None]"


def test_an_alias_among_the_inputs_counts(tmp_path):
    code = "%%rms cell\na.append(1)\ntotal = len(b)"
    first = in_two_kernels(tmp_path, "a = []; b = a", code, "print(total)")[0]
    second = in_two_kernels(tmp_path, "a = []; b = []", code, "print(total)")[0]
    assert (first[2].text, second[2].text) == ("1\n", "0\n")


def test_a_cell_run_again_in_the_same_kernel_is_a_hit(kernel):
    code = "%%rms cell\ntotal = 0\nfor i in range(3):\n    total += i\ntotal"
    assert not is_hit(kernel.run(code, cell="c1"))
    assert is_hit(kernel.run(code, cell="c1")) and kernel.value("(total, i)") == "(3, 2)"


def test_a_hit_in_a_terminal_shows_its_value_once(tmp_path):
    cells = [
        "%load_ext rms_jupyter",
        "%%rms cell\nprint('made')\ndisplay('shown')\n[1, 2]",
        "%%rms\ndef f(x):\n    display('given')\n    return x\nassert f(1) == 1",
    ]
    code = f"for cell in {cells!r}: get_ipython().run_cell(cell)"
    command = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", code]
    env = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")}
    shown = [
        subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    for text, how in zip(shown, (" ran ", " hit, saved "), strict=True):
        assert (
            text.count("]: [1, 2]") == text.count("[1, 2]") == text.count("Out[") == text.count("made") == 1
            and text.count("'shown'") == text.count("'given'") == 1
            and how in text
        ), text
