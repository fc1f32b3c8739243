"""Log records and warnings of a call that the store answers: emitted again as loggers, handlers and filters are now."""

import contextlib
import json
import logging
import sys
import warnings
from contextlib import closing

import pytest

import rms_jupyter as rms
from rms_jupyter.store.seals import seal_of
from tests.behaviour.test_cells import again, is_hit, text_of

BEGIN = """import logging, sys, warnings
logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(funcName)s:%(message)s", stream=sys.stdout, force=True)
log = logging.getLogger("lab")
class Collect(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []
    def emit(self, record):
        self.records.append(record)
kept = Collect()"""

RATIO = """def ratio(a, b):
    print("before", a)
    log.info("ratio of %s and %d", a, b)
    print("between")
    if b == 0:
        warnings.warn("dividing by zero", RuntimeWarning)
        return -1.0
    print("after", file=sys.stderr)
    return a / b"""


def shows_as_plainly(tmp_path, *cells, pipes=(1,), cell_pipes=()):
    """Run cells plainly, and twice with some as pipes, in fresh kernels; all must show the same. Gives the last run."""
    runs = []
    for way in range(3):
        with again(tmp_path) as kernel:
            if way:
                kernel.run("%load_ext rms_jupyter")
            magics = dict.fromkeys(pipes, "%%rms\n") | dict.fromkeys(cell_pipes, "%%rms cell\n") if way else {}
            runs.append([kernel.run(magics.get(n, "") + code) for n, code in enumerate(cells)])
    plain, *ours = ([without_lines(ran) for ran in run] for run in runs)
    assert ours[0] == plain
    assert ours[1] == plain
    return runs[-1]


def without_lines(ran):
    """What a cell shows, but for where in the cell a warning came from."""
    text = [
        line.partition(".py:")[2].partition(": ")[2] if ".py:" in line else line for line in text_of(ran).split("\n")
    ]
    text = [line for line in text if not line.startswith('  File "')]
    return sorted(text), ran.result, ran.error.splitlines()[-1:], ran.ok


def test_levels_handlers_and_formats_are_those_of_now(tmp_path):
    cells = (
        BEGIN,
        RATIO,
        "ratio(1, 2)",
        "ratio(1, 2)",
        "log.setLevel(logging.WARNING)\nratio(1, 2)",
        "log.setLevel(logging.INFO)\nlog.addHandler(kept)\nlog.propagate = False\nratio(1, 2)",
        "[(r.name, r.levelname, r.msg, r.args, r.getMessage(), r.funcName, r.module.isdigit()) for r in kept.records]",
        "log.addFilter(lambda record: 'ratio' not in record.msg)\nratio(1, 2), len(kept.records)",
    )
    ran = shows_as_plainly(tmp_path, *cells)
    assert all(map(is_hit, (*ran[2:6], ran[7])))
    assert ran[2].text == "before 1\nINFO:ratio:ratio of 1 and 2\nbetween\nafter\n"


def test_warnings_are_met_by_the_filters_of_now(tmp_path):
    cells = (
        BEGIN,
        RATIO,
        "warnings.simplefilter('always')\nratio(1, 0)",
        "with warnings.catch_warnings(record=True) as caught:\n    ratio(1, 0)\n"
        "[(str(w.message), w.category.__name__) for w in caught]",
        "warnings.filterwarnings('ignore', 'dividing')\nratio(1, 0)",
        "with warnings.catch_warnings():\n    warnings.simplefilter('error')\n    ratio(1, 0)",
        "try:\n    with warnings.catch_warnings():\n        warnings.simplefilter('error', RuntimeWarning)\n"
        "        ratio(1, 0)\nexcept RuntimeWarning as error:\n    print('raised', error)",
        "with warnings.catch_warnings():\n    warnings.simplefilter('error', ImportWarning)\n    print(ratio(1, 0))",
    )
    ran = shows_as_plainly(tmp_path, *cells)
    assert all(map(is_hit, (*ran[2:5], ran[7])))


def test_a_warning_laid_to_the_caller_is_laid_to_the_line_that_calls(tmp_path):
    cells = (
        "import linecache, warnings",
        "def old(x):\n    warnings.warn('it is old', FutureWarning, stacklevel=2)\n    return x\n"
        "def outer(x):\n    return old(x)",
        "old(1)\nprint('first')",
        "print('second')\n\nold(1)",
        "outer(2)",
        "outer(2)",
        "with warnings.catch_warnings(record=True) as caught:\n    old(1)\n"
        "[(w.lineno, linecache.getline(w.filename, w.lineno)) for w in caught]",
        "warnings.warn is __import__('_warnings').warn",
    )
    ran = shows_as_plainly(tmp_path, *cells)
    assert all(map(is_hit, ran[2:7])) and "old(1)" in text_of(ran[3]) and "old(1)" in ran[6].result


def test_warnings_that_were_ignored_are_shown_as_plainly(tmp_path):
    cells = (
        BEGIN,
        RATIO,
        "warnings.simplefilter('ignore')\nratio(1, 0)",
        "warnings.resetwarnings()\nratio(1, 0)",
        "warnings.simplefilter('always')\nratio(1, 0)",
        "import numpy as np\na = np.float64(0)",
        "warnings.simplefilter('ignore')",
        "print(1 / a)\nb = 2",
        "warnings.simplefilter('always')",
        "print(1 / a)\nb = 2",
        "warnings.simplefilter('error')",
        "print(1 / a)\nb = 2",
        "warnings.resetwarnings()",
    )
    ran = shows_as_plainly(tmp_path, *cells, cell_pipes=(7, 9, 11))
    assert is_hit(ran[4]) and is_hit(ran[9]) and not ran[11].ok


def test_a_call_that_handles_its_warning_does_so_where_it_is_an_exception_now(s):
    def careful(x, where=()):
        try:
            warnings.warn("careful", stacklevel=1)
        except UserWarning:
            return "refused"
        return "done"

    pipe = s.register_pipe(careful)
    for arguments in ((1,), (1, [2])):
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            assert pipe(*arguments).content == "done"
        ran = pipe(*arguments)
        assert ran.content == "refused" and ran.task.reason == "not_cached its UserWarning is an exception now"
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            assert pipe(*arguments).content == "done" and pipe(*arguments).task.hit
    assert len(s.tasks()) == 4


def test_a_call_that_raises_its_warning_now_answers_as_before_later(s):
    def careful(x):
        warnings.warn("careful", FutureWarning, stacklevel=1)
        return x

    pipe = s.register_pipe(careful)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        pipe(1)
    with pytest.raises(FutureWarning, match="careful"):
        pipe(1)
    with pytest.warns(FutureWarning, match="careful"):
        warnings.warn("careful", FutureWarning, stacklevel=1)
        assert pipe(1).task.hit


def risky(x):
    try:
        warnings.warn("careful", FutureWarning, stacklevel=1)
    except FutureWarning:
        return "refused"
    return "done"


def quiet(x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.warn("careful", FutureWarning, stacklevel=1)
    return x


@contextlib.contextmanager
def filtered(*rules):
    """Let filters be those, the first one before all others; gives what is shown."""
    with warnings.catch_warnings(record=True) as shown:
        for rule in reversed(rules):
            warnings.filterwarnings(*rule)
        yield shown


ALL, NONE, RAISED, OTHERS = ("always",), ("ignore",), ("error", "care"), ("always", "", UserWarning)


def test_a_warning_that_was_ignored_is_shown_by_running(s):
    pipe = s.register_pipe(risky)
    with filtered(NONE) as shown:
        assert pipe(1).content == "done" and pipe(1).task.hit
    with filtered(OTHERS, NONE) as shown:
        assert pipe(1).task.hit, "still ignored"
    with filtered(ALL) as shown:
        assert pipe(1).task.reason == "not_cached its FutureWarning was ignored when it ran"
        assert pipe(1).task.hit and [str(warning.message) for warning in shown] == ["careful"]
    with filtered(NONE):
        assert pipe(1).task.hit, "it would show less"


def test_a_warning_that_was_ignored_and_is_an_exception_now_is_one(s):
    pipe = s.register_pipe(risky)
    with filtered(NONE):
        assert pipe(1).content == "done"
    with filtered(RAISED, NONE):
        assert pipe(1).content == "refused" and pipe(1).content == "refused"
    with filtered(NONE):
        assert pipe(1).content == "done" and pipe(1).task.hit


@pytest.mark.parametrize("rule", [ALL, NONE])
def test_a_warning_that_was_an_exception_is_none_now(s, rule):
    pipe = s.register_pipe(risky)
    with filtered(RAISED):
        assert pipe(1).content == "refused" and pipe(1).task.hit
    with filtered(rule):
        assert pipe(1).task.reason == "not_cached its FutureWarning was an exception when it ran"
        assert pipe(1).content == "done" and pipe(1).task.hit


def test_what_a_call_ignores_itself_is_its_own_business(s):
    pipe = s.register_pipe(quiet)
    with filtered(NONE):
        pipe(1)
    with filtered(RAISED) as shown:
        assert pipe(1).task.hit and not shown


def test_the_filters_are_left_as_they_are(s, lab):
    def f(x):
        lab.info("one")
        return x

    before = list(warnings.filters)
    s.register_pipe(risky)
    pipe = s.register_pipe(f)
    pipe(1), pipe(2)
    with filtered(ALL):
        during = list(warnings.filters)
        pipe(3)
        assert warnings.filters == during
    assert warnings.filters == before


@pytest.fixture
def lab():
    """A logger that nothing has set up yet."""
    logger = logging.getLogger("lab.of.said")
    yield logger
    logger.setLevel(logging.NOTSET)
    logger.disabled = False
    logging.disable(logging.NOTSET)


def test_what_a_logger_would_let_through_now_is_shown_by_running(s, reopen, lab, caplog):
    def quiet(x):
        lab.debug("small")
        lab.info("looking at %s", x)
        return x

    def define(session):
        return session.register_pipe(quiet)

    pipe = define(s)
    lab.setLevel(logging.WARNING)
    assert not pipe(1).task.hit and pipe(1).task.hit
    lab.setLevel(logging.INFO)
    heard = pipe(1).task
    assert heard.reason == "not_cached the logger lab.of.said was not enabled for INFO when it ran"
    assert caplog.messages == ["looking at 1"] and pipe(1).task.hit
    lab.setLevel(logging.WARNING)
    assert pipe(1).task.hit, "it would log less"
    with closing(reopen(s)) as later:
        pipe = define(later)
        assert pipe(1).task.hit
        lab.setLevel(logging.DEBUG)
        assert "not enabled for DEBUG" in pipe(1).task.reason
        assert "small" in caplog.messages and pipe(1).task.hit


@pytest.mark.parametrize("how", ["parent", "disable", "disabled"])
def test_a_logger_can_be_enabled_in_many_ways(s, lab, how):
    def quiet(x):
        lab.warning("looking at %s", x)
        return x

    def enable(is_enabled):
        if how == "parent":
            logging.getLogger("lab.of").setLevel(logging.NOTSET if is_enabled else logging.ERROR)
        elif how == "disable":
            logging.disable(logging.NOTSET if is_enabled else logging.WARNING)
        else:
            lab.disabled = not is_enabled

    pipe = s.register_pipe(quiet)
    enable(False)
    assert not pipe(1).task.hit and pipe(1).task.hit
    enable(True)
    assert not pipe(1).task.hit and pipe(1).task.hit


def test_cells_say_it_again_as_plainly(tmp_path):
    work = (
        "log.warning('about %s', 'x')\nprint('one')\nwarnings.warn('old', DeprecationWarning)\nlog.info('small')\nn = 1"
    )
    cells = (
        BEGIN,
        work,
        f"{work}\nn",
        "log.setLevel(logging.WARNING)",
        f"{work}\nn",
        "log.addHandler(kept)",
        f"{work}\nn",
        "[record.getMessage() for record in kept.records]",
        "log.setLevel(logging.INFO)",
        f"{work}\nn",
        "[record.getMessage() for record in kept.records]",
        "warnings.simplefilter('error')",
        f"{work}\nn",
    )
    ran = shows_as_plainly(tmp_path, *cells, pipes=(), cell_pipes=(1, 2, 4, 6, 9, 12))
    assert all(map(is_hit, (ran[1], ran[2], ran[6])))


def test_traces_and_extras_come_along(tmp_path):
    begin = """import logging, sys
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(sample)s %(message)s", stream=sys.stdout, force=True)
log = logging.getLogger("lab")"""
    define = """class Sample:
    def __str__(self):
        return "<sample>"
def f(x):
    try:
        1 / x
    except ZeroDivisionError:
        log.exception("trouble with %s", Sample(), extra={"sample": 7})
    log.info("%(x)s of %(y).1f", {"x": x, "y": 2.0}, extra={"sample": Sample()})
    log.info("100% sure", extra={"sample": None})
    return x"""
    ran = shows_as_plainly(tmp_path, begin, define, "f(0)", "f(0)")
    assert is_hit(ran[3]) and "ERROR 7 trouble with <sample>\nTraceback" in ran[3].text
    assert ran[3].text.endswith("ZeroDivisionError: division by zero\nINFO <sample> 0 of 2.0\nINFO None 100% sure\n")


def test_the_root_logger_is_set_up_as_by_the_functions_of_logging(tmp_path):
    cells = (
        "import logging",
        "def f(x):\n    logging.info('small')\n    logging.log(30, 'about %s', x)\n    return x",
        "def g(x):\n    logging.debug('small')\n    return x",
        "def h(x):\n    logging.getLogger().warning('plain')\n    return x",
        "h(1), f(1), h(1)",
        "h(1), f(1), h(1)",
        "logging.root.handlers.clear()\nh(1), g(1), h(1), len(logging.root.handlers)",
        "logging.root.handlers.clear()\nf(1), len(logging.root.handlers)",
    )
    ran = shows_as_plainly(tmp_path, *cells, pipes=(1, 2, 3))
    assert all(map(is_hit, ran[4:]))
    assert ran[4].text == "plain\nWARNING:root:about 1\nWARNING:root:plain\n"


def test_what_a_worker_has_said_is_said_in_order(tmp_path):
    with again(tmp_path) as kernel:
        kernel.run("%load_ext rms_jupyter")
        kernel.run(BEGIN)
        kernel.run(f"%%rms\n{RATIO}")
        kernel.run("warnings.simplefilter('always')")
        assert kernel.run("%%rms run -j 2\nrs = [ratio(i, j) for i in range(3) for j in (0, 1)]").ok
        ran = kernel.run("ratio(2, 1)")
        assert is_hit(ran) and ran.text == "before 2\nINFO:ratio:ratio of 2 and 1\nbetween\nafter\n"
        kernel.run("log.setLevel(logging.ERROR)")
        ran = kernel.run("ratio(1, 0)")
        assert is_hit(ran) and ran.text.startswith("before 1\nbetween\n")
        assert ran.text.count("RuntimeWarning: dividing by zero") == 1
        assert "INFO lab: ratio of 2 and 1\n" in kernel.run("%rms logs rs[-1]").result


def test_a_category_that_is_not_imported_looks_as_it_did(tmp_path):
    site = tmp_path / "site-packages"  # The user's own modules are imported for their code.
    site.mkdir()
    (site / "odd_warnings.py").write_text("class Odd(FutureWarning):\n    pass\n")
    define = """%%rms
import sys, warnings
sys.path.append("site-packages")
def f(x):
    import odd_warnings
    warnings.warn("strange", odd_warnings.Odd)
    return x"""
    for n in range(2):
        with again(tmp_path) as kernel:
            kernel.run("%load_ext rms_jupyter")
            kernel.run(define)
            ran = kernel.run("f(1)")
            assert ran.text.count(": Odd: strange") == 1
            assert is_hit(ran) == (n == 1)
            assert kernel.value("'odd_warnings' in __import__('sys').modules") == str(n == 0)
            assert not kernel.run("warnings.simplefilter('error', FutureWarning)\nf(1)").ok


def test_messages_that_others_have_written_do_no_harm(tmp_path):
    with again(tmp_path) as kernel:
        kernel.run("%load_ext rms_jupyter")
        kernel.run("%%rms\nimport warnings\ndef f(x):\n    print(1)\n    warnings.warn('kind')\n    return x\nf(1)")
        [shown] = [path for path in tmp_path.rglob("*.json") if b'"warning"' in path.read_bytes()]
        odd = [
            ["log", "lab", "high", "text", [], "", 1, "", "", "", {}],
            ["log", "lab", 30, "text %s %s", [1], "", 1, "", "", "", {"name": "x", "message": "y"}],
            ["log", "lab"],
            ["warning", "first", "antigravity:Warn", "here.py", 1, "SystemExit"],
            ["warning", "second", "os:system", "here.py", -1, "UserWarning"],
            ["warning", "third", "builtins:SystemExit", "here.py", 1, ""],
            ["warning", "fourth", "builtins:UserWarning", "here.py", 10**30, ""],
            ["warning", "fifth", "a\0b:c d.é\0", "here.py", 1, "Warning"],
            ["warning", None, None, None, None, None],
            ["warning", "sixth", "os:path.join.Warn", "here.py", 1, "as it looked in older records"],
            ["stdout", "end\n"],
        ]
        shown.chmod(0o644)
        written = json.dumps(odd).encode()
        shown.write_bytes(written + seal_of(shown.name, [written]))
        ran = kernel.run("f(1)")
        assert ran.ok and "end\n" in ran.text, ran.text
        told = [word for word in ("first", "second", "third", "fourth", "fifth", "sixth") if word in ran.text]
        assert told == ["first", "third", "fifth", "sixth"]
        assert kernel.value("'antigravity' in __import__('sys').modules") == "False"


@contextlib.contextmanager
def handled(logger, handler):
    """Let a logger give its records to a handler too, from INFO on."""
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def test_what_handlers_do_is_left_to_them(s, lab):
    """A handler that prints, warns or logs does so again: that is no message of the call."""

    class Loud(logging.Handler):
        def emit(self, record):
            print("told", record.getMessage())
            with contextlib.suppress(Warning):
                warnings.warn("from a handler", stacklevel=1)
            logging.getLogger("lab.of.handlers").debug("nested")

    def f(x):
        lab.info("once")
        print("mine")
        return x

    with handled(lab, Loud()):
        task = s.register_pipe(f)(1).task
    kinds = [message[0] for message in s.messages_of(s.store.record(task.id)[1])]
    assert kinds == ["log", "stdout"] and task.printed == "INFO lab.of.said: once\nmine\n"


def test_threads_that_log_at_once_lose_nothing(s, lab):
    import threading

    class Slow(logging.Handler):
        def emit(self, record):
            threading.Event().wait(0.001)

    def f(n):
        threads = [
            threading.Thread(target=lambda: [lab.info("%d", i) or print(f"{i}\n", end="") for i in range(20)])
            for _ in range(n)
        ]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]

    with handled(lab, Slow()):
        task = s.register_pipe(f)(4).task
    messages = s.messages_of(s.store.record(task.id)[1])
    assert sum(message[0] == "log" for message in messages) == 80
    assert sum(len(message[1].split()) for message in messages if message[0] == "stdout") == 80
    assert len(task.printed.splitlines()) == 160


def test_a_procedure_of_which_only_its_log_is_known_runs_each_time(s, lab):
    def send(x):
        lab.debug("sent")
        sys.modules["said_sent"] = x

    lab.setLevel(logging.DEBUG)
    pipe = s.register_pipe(send)
    with pytest.warns(rms.RmsWarning, match="what it does is not seen"):
        pipe(1)
    assert not pipe(1).task.hit
    del sys.modules["said_sent"]


def test_a_library_may_take_the_filters_apart(s):
    """As scikit-learn does for its workers."""

    def take_apart(n):
        found = []
        with warnings.catch_warnings():
            filters = list(warnings.filters)
            warnings.resetwarnings()
            for action, message, category, module, _ in filters:
                texts = [part if isinstance(part, str) else part.pattern if part else "" for part in (message, module)]
                warnings.filterwarnings(action, texts[0], category, texts[1], append=True)
                found.append(action)
        return len(found) > 0

    assert s.pipe(take_apart)(1)


def test_a_logger_that_is_not_there_yet_is_left_to_its_library(s):
    """Some have a class of their own for their loggers; one that is there before them is not of it."""

    def told(n):
        logging.getLogger("told.by.nobody").warning("told")
        logging.getLogger("quiet.for.now").debug("not heard")
        return n

    pipe = s.register_pipe(told)
    assert not pipe(1).task.hit
    names = {"told", "told.by", "told.by.nobody", "quiet.for.now"}
    for name in names:
        logging.root.manager.loggerDict.pop(name, None)  # As in a new kernel.
    assert pipe(1).task.hit
    assert not names & {*logging.root.manager.loggerDict}
