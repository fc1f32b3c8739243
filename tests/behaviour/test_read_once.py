"""What can be read once, and what is not kept: read once, made again when it is needed, refused with the reason."""

import gc
import io
import os
import warnings
import weakref
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

import rms_jupyter as rms
from tests.behaviour.test_calls import namespace_of

RUNS = []


@pytest.fixture(autouse=True)
def no_runs():
    RUNS.clear()


def numbers(n):
    RUNS.append(n)
    yield from range(n)


def as_map(n):
    RUNS.append(n)
    return map(int, range(n))


def as_zip(n):
    RUNS.append(n)
    return (a for a, _ in zip(range(n), range(n), strict=True))


def as_iterator(n):
    RUNS.append(n)
    return iter(list(range(n)))


def with_rows(n):
    RUNS.append(n)
    return {"rows": iter(range(n)), "n": n}


def total(xs):
    return sum(xs)


def total_of_rows(table):
    return sum(table["rows"])


def pipes_of(session, *functions, **options):
    return [session.register_pipe(function, ignore="RUNS", **options) for function in functions]


ONCE = [numbers, as_map, as_zip, as_iterator]
ALREADY = (
    r"was read already: it can be read only once\n→ call the pipe again, or keep what it yields: list\(r.content\)"
)


# A pipe that gives it (C9) -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", ONCE, ids=lambda f: f.__name__)
def test_it_is_read_once_and_made_again_as_an_input(s, function):
    once_, total_ = pipes_of(s, function, total)
    r = once_(4)
    assert list(r.content) == [0, 1, 2, 3] and len(RUNS) == 1
    for read in (lambda: r.content, lambda: list(r.content)):
        with pytest.raises(rms.RmsError, match=ALREADY):
            read()
    assert total_(r).content == 6 and len(RUNS) == 2
    assert total_(r).task.hit and total_(once_(4)).task.hit and len(RUNS) == 2
    assert len(s.tasks()) == 2, "what is made again is no new task"


@pytest.mark.parametrize("function", ONCE, ids=lambda f: f.__name__)
def test_another_kernel_makes_it_again_from_its_record(s, reopen, function):
    once_, _ = pipes_of(s, function, total)
    list(once_(4).content)
    later = reopen(s)
    once_, total_ = pipes_of(later, function, total)
    r = once_(4)
    assert r.task.hit and len(RUNS) == 1, "nothing runs before it is read"
    assert sum(r.content) == 6 and len(RUNS) == 2
    with pytest.raises(rms.RmsError, match=ALREADY):
        r.content
    assert total_(r).content == 6 and len(RUNS) == 3
    assert len(later.tasks()) == 2


def test_an_unread_one_serves_as_an_input_without_being_made_again(s):
    numbers_, total_ = pipes_of(s, numbers, total)
    r = numbers_(4)
    assert total_(r).content == 6 and RUNS == [4]
    assert list(r.content) == [0, 1, 2, 3] and RUNS == [4, 4], "the function has used up the first"


def test_a_look_at_it_reads_nothing(s):
    [numbers_] = pipes_of(s, numbers)
    r = numbers_(4)
    repr(r), str(r), f"{r}", bool(r), hash(r), dir(r), r._repr_mimebundle_()
    assert not hasattr(r, "dtype") and not hasattr(r, "shape")
    assert list(r.content) == [0, 1, 2, 3] and RUNS == [4]


def test_one_that_was_read_in_part_is_made_again_as_an_input(s):
    numbers_, total_ = pipes_of(s, numbers, total)
    r = numbers_(5)
    next(r.content)
    assert total_(r).content == 10 and RUNS == [5, 5]


def test_one_inside_another_result_is_read_once_too(s):
    nested_, total_ = pipes_of(s, with_rows, total_of_rows)
    r = nested_(4)
    assert sum(r.content["rows"]) == 6
    with pytest.raises(rms.RmsError, match="the dict was read already"):
        r.content
    assert total_(r).content == 6
    assert total_(nested_(4)).task.hit


def test_an_open_file_is_read_once_and_opened_again_as_an_input(s):
    def opened(path: rms.In):
        return open(path)

    def text(file):
        with file:
            return file.read()

    Path("a.txt").write_text("one\ntwo\n")
    opened_, text_ = s.register_pipe(opened), s.register_pipe(text)
    r = opened_("a.txt")
    with r.content as file:
        assert file.read() == "one\ntwo\n"
    with pytest.raises(rms.RmsError, match="can be read only once"):
        r.content
    assert text_(r).content == "one\ntwo\n"
    Path("a.txt").write_text("other")
    r = opened_("a.txt")
    assert not r.task.hit and text_(r).content == "other"


def test_what_is_read_once_is_refused_when_its_file_has_changed(s):
    def lines(path: rms.In):
        with open(path) as file:
            yield from file.read().split()

    def lines_of(file):
        yield from Path(file).read_text().split()

    def joined(xs):
        return "".join(xs)

    lines_, lines_of_, joined_ = (s.register_pipe(f) for f in (lines, lines_of, joined))
    Path("a.txt").write_text("a b")
    for r in (lines_("a.txt"), lines_of_("a.txt"), lines_of_(s.register_file("a.txt"))):
        assert list(r.content) == ["a", "b"]
        Path("a.txt").write_text("c d")
        with pytest.raises(
            rms.NotRecomputable, match=r"lines.*not kept, and .*a\.txt is missing or has changed|what it was"
        ):
            joined_(r)
        Path("a.txt").unlink()
        with pytest.raises(rms.NotRecomputable, match=r"not kept, and .*(a\.txt|missing)"):
            joined_(r)
        Path("a.txt").write_text("a b")
        assert joined_(r).content == "ab"


def test_what_is_read_once_is_refused_when_a_global_has_changed(s):
    ns = namespace_of("step = 1\ndef numbers(n):\n    yield from range(0, n, step)\n")
    numbers_, total_ = s.register_pipe(ns["numbers"]), s.register_pipe(total)
    r = numbers_(4)
    list(r.content)
    ns["step"] = 2
    with pytest.raises(rms.NotRecomputable, match=r"numbers\(4\) is not kept, and a global .* is not what it was"):
        total_(r)
    assert total_(numbers_(4)).content == 2


def test_buffers_in_memory_are_kept_and_given_anew_each_time(s, reopen):
    def buffer(n, binary):
        return io.BytesIO(b"a" * n) if binary else io.StringIO("a" * n)

    def read(file):
        return file.read()

    buffer_, read_ = s.register_pipe(buffer), s.register_pipe(read)
    for binary in (True, False):
        r = buffer_(3, binary)
        expected = b"aaa" if binary else "aaa"
        assert r.content.read() == expected and r.content.read() == expected
        assert read_(r).content == expected and read_(buffer_(3, binary)).task.hit
    later = reopen(s)
    assert later.register_pipe(buffer)(3, True).content.read() == b"aaa"


# As an argument ----------------------------------------------------------------------------------------------------


def test_as_an_argument_it_runs_each_time_and_says_why_once(s):
    total_ = s.register_pipe(total)
    with pytest.warns(rms.RmsWarning) as caught:
        results = [
            total_(i for i in range(4)),
            total_(iter([1, 2, 3])),
            total_(map(int, "123")),
            total_(i for i in range(4)),
        ]
    assert [r.content for r in results] == [6, 6, 6, 6] and not any(r.task.hit for r in results)
    [warning] = caught
    assert str(warning.message).startswith(
        "total runs each time, its results are recorded but not reused: xs: generator: it can be read only once; "
        "pass a list"
    )
    assert [t.status for t in s.tasks(pipe="total")] == ["done"] * 4
    assert all("generator object" in str(t.args) or "object at" in str(t.args) for t in s.tasks(pipe="total"))


def test_an_open_file_as_an_argument(s):
    def text(file):
        return file.read()

    Path("a.txt").write_text("one")
    text_ = s.register_pipe(text)
    with open("a.txt") as file, pytest.warns(rms.RmsWarning, match="file: TextIOWrapper: an open file; pass its path"):
        assert text_(file).content == "one"


def test_it_is_not_used_up_by_the_look_at_it(s):
    def first_two(xs):
        return next(xs), next(xs)

    first_two_ = s.register_pipe(first_two)
    with pytest.warns(rms.RmsWarning, match="only once"):
        for xs in (iter([1, 2]), (i for i in (1, 2)), map(int, "12"), zip([1, 2], strict=True)):
            assert first_two_({"xs": xs}["xs"]).content in [(1, 2), ((1,), (2,))]


# Volatile ----------------------------------------------------------------------------------------------------------


def load(n):
    RUNS.append(("load", n))
    return pd.DataFrame({"a": range(n)})


def summed(frame):
    RUNS.append("summed")
    return int(frame["a"].sum())


def largest(frame):
    RUNS.append("largest")
    return int(frame["a"].max())


@pytest.fixture
def volatile(s):
    def pipes(session):
        load_ = session.register_pipe(load, volatile=True, ignore="RUNS")
        return load_, *pipes_of(session, summed, largest)

    return pipes


def test_a_volatile_value_is_not_kept_and_made_again_when_it_is_needed(s, reopen, volatile):
    load_, summed_, _ = volatile(s)
    big = load_(20_000)
    assert big.content["a"].sum() == summed_(big).content and RUNS == [("load", 20_000), "summed"]
    assert not list((s.path / "objects").rglob("*.*"))
    later = reopen(s)
    load_, summed_, largest_ = volatile(later)
    RUNS.clear()
    again = load_(20_000)
    assert again.task.hit and again.digest == big.digest and summed_(again).task.hit and RUNS == []
    assert largest_(again).content == 19_999 and RUNS == [("load", 20_000), "largest"]
    assert len(again.content) == 20_000 and RUNS == [("load", 20_000), "largest"]
    assert len(later.tasks()) == 3


def test_a_value_that_is_not_kept_is_computed_at_once_where_that_shows_something(s, capsys):
    pipe = s.pipe(lambda x: print("made") or [x], name="shows", volatile=True)
    assert [pipe(1), pipe(1), pipe(1)] == [[1]] * 3
    assert capsys.readouterr().out == "made\n" * 3


def wrapped_by(function):
    return lambda x: ["wrapped", function(x)]


def test_a_value_that_is_not_kept_is_computed_at_once_where_what_it_needs_is_not_kept_either(s):
    """A function around a pipe, for one: neither can be kept."""
    inner, outer = s.pipe(lambda x: x, name="inner"), s.pipe(wrapped_by)
    for _ in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rms.RmsWarning)
            assert outer(inner)(3) == ["wrapped", 3]


def test_a_volatile_number_is_not_kept_either(s, reopen):
    def draw(n):
        RUNS.append(n)
        return n * 2

    assert s.register_pipe(draw, volatile=True, ignore="RUNS")(4).content == 8
    again = reopen(s).register_pipe(draw, volatile=True, ignore="RUNS")(4)
    assert again.task.hit and RUNS == [4] and again.content == 8 and RUNS == [4, 4]


def test_a_volatile_value_counts_with_the_files_that_it_was_made_from(s):
    def load(path):
        return pd.read_csv(path)

    def rows(frame):
        return len(frame)

    load_, rows_ = s.register_pipe(load, volatile=True), s.register_pipe(rows)
    Path("a.csv").write_text("x\n1\n")
    assert rows_(load_("a.csv")).content == 1
    Path("a.csv").write_text("x\n1\n2\n")
    assert rows_(load_("a.csv")).content == 2, "the key of load names the path only"
    Path("a.csv").write_text("x\n1\n")
    assert rows_(load_("a.csv")).task.hit


def test_why_a_volatile_value_cannot_be_made_again(s, reopen):
    class Odd:
        def __init__(self, x):
            self.x = x

        def __reduce__(self):
            raise TypeError("no")

    def draw(n):
        return [n]

    def of_file(path):
        return [Path(path).read_text()]

    def of_odd(odd):
        return [odd.x]

    Path("a.txt").write_text("a")
    made = {
        "random": s.register_pipe(draw, name="random", volatile=True, deterministic=False)(1),
        "of_file": s.register_pipe(of_file, volatile=True)("a.txt"),
        "of_big": s.register_pipe(lambda n: [n, n], name="of_big", volatile=True)(1),
    }
    with pytest.warns(rms.RmsWarning, match="odd: .*Odd cannot be described"):
        made["of_odd"] = s.register_pipe(of_odd, volatile=True)(Odd(1))
    ids = {name: r.id for name, r in made.items()}
    later = reopen(s)
    later.register_pipe(draw, name="random", volatile=True, deterministic=False)
    later.register_pipe(of_file, volatile=True)
    later.register_pipe(of_odd, volatile=True)
    os.remove("a.txt")
    reasons = {
        "random": r"the value of random\(1\) is not kept, and random is not deterministic\n→ call it again",
        "of_file": r"is not kept, and its input .*a.txt is missing or has changed\n→ bring the file back",
        "of_big": r"is not kept, and no pipe of_big with the same code is defined here\n→ run the cell",
        "of_odd": r"is not kept, and its argument odd is not kept\n→ call the pipe again",
    }
    for name, reason in reasons.items():
        with pytest.raises(rms.NotRecomputable, match=reason):
            later.home.resource(ids[name]).content


def test_making_a_value_again_does_not_write_over_what_has_changed(s):
    def write(path):
        Path(path).write_text("from the pipe")
        return [path]

    write_ = s.register_pipe(write, volatile=True, outputs=[])
    r = write_("out.txt")
    assert r.files[0].path == os.path.abspath("out.txt")
    value = s.home.resource(r.task.id + 1)
    Path("out.txt").write_text("mine")
    with pytest.raises(
        rms.NotRecomputable, match=r"would write over .*out.txt, which has changed\n→ move that file away"
    ):
        value.content
    assert Path("out.txt").read_text() == "mine"
    os.remove("out.txt")
    assert value.content == ["out.txt"]


# In a plan (R9) ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_loader_runs_only_if_a_consumer_must(s, volatile, n_jobs):
    load_, summed_, largest_ = volatile(s)

    def run(*consumers):
        RUNS.clear()
        with s.plan() as plan:
            frame = load_(4)
            results = [consumer(frame) for consumer in consumers]
        counts = plan.run(n_jobs=n_jobs).counts
        return [r.content for r in results], counts, plan, frame

    assert run(summed_)[:2] == ([6], {"done": 2})
    assert RUNS.count(("load", 4)) == 1
    assert run(summed_)[:2] == ([6], {"hit": 2}) and RUNS == []
    assert run(summed_, largest_)[:2] == ([6, 3], {"hit": 2, "done": 1}) and RUNS.count(("load", 4)) == 1


def test_the_explanation_lists_what_would_be_computed_again(s, volatile):
    load_, summed_, largest_ = volatile(s)
    summed_(load_(4))
    RUNS.clear()
    with s.plan() as plan:
        frame = load_(4)
        summed_(frame), largest_(frame)
    rows = plan.explain().to_dict("records")
    assert [row["status"] for row in rows] == ["hit", "hit", "run"]
    assert rows[0]["reason"] == "computed again: its value is not kept" and rows[1]["reason"] == ""
    with s.plan() as plan:
        summed_(load_(4))
    assert [row["reason"] for row in plan.explain().to_dict("records")] == ["", ""]
    assert RUNS == []


class Big:
    """Something whose life can be watched."""


def test_the_value_of_a_loader_is_released_after_its_last_consumer(s):
    alive = weakref.WeakSet()
    seen = []

    def load(n):
        big = Big()
        big.n = n
        alive.add(big)
        return big

    def use(big):
        gc.collect()
        seen.append(len(alive))
        return big.n

    load_ = s.register_pipe(load, volatile=True, ignore="alive")
    use_ = s.register_pipe(use, ignore=("alive", "seen"))
    with s.plan() as plan:
        frames = [load_(n) for n in range(4)]
        used = [use_(frame) for frame in frames]
    plan.run(n_jobs=1)
    assert [u.content for u in used] == [0, 1, 2, 3]
    assert seen[-1] == 1, "those before it have been let go"
    gc.collect()
    assert not list(alive), "nothing holds them after the run"
    assert frames[2].content.n == 2, "asked for, it is made again"


# Kept, but with no digest of its own -------------------------------------------------------------------------------


def plotted(path):
    figure = Figure()
    figure.add_subplot().plot([float(line) for line in Path(path).read_text().split()])
    return figure


def first_height(figure):
    return float(figure.axes[0].lines[0].get_ydata()[0])


def test_a_figure_counts_with_the_file_that_it_shows(s):
    plotted_, first_ = s.register_pipe(plotted), s.register_pipe(first_height)
    for first in (1, 2, 1):
        Path("heights.txt").write_text("\n".join(map(str, range(first, 3000))))
        assert first_(plotted_("heights.txt")).content == first
    assert first_(plotted_("heights.txt")).task.hit


def test_a_figure_is_not_taken_for_a_damaged_result(s):
    Path("heights.txt").write_text("\n".join(map(str, range(3000))))
    result = s.register_pipe(plotted)("heights.txt")
    [kept] = (s.path / "objects").rglob("*.pickle")
    assert "no problems" in s.check(full=True).headline
    assert s.register_pipe(plotted)("heights.txt").task.hit
    kept.write_bytes(b"damaged")
    assert "corrupt" in repr(s.check(full=True))
    with pytest.warns(rms.RmsWarning, match=r"plotted\(\"heights.txt\"\) is damaged: it was computed again"):
        assert first_height(s.home.resource(result.id).content) == 0
    assert "no problems" in s.check(full=True).headline


def test_a_generator_from_the_store_reads_and_changes_the_callers_own_objects(s):
    def walk(xs):
        yield from xs
        xs.append("end")

    walk_ = s.pipe(walk)
    for _ in range(2):
        xs = [1, 2]
        items = walk_(xs)
        assert next(items) == 1
        xs.append(3)
        assert list(items) == [2, 3] and xs == [1, 2, 3, "end"]
    assert len(s.tasks()) == 1, "the second is a hit"
