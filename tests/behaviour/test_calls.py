"""Calls: what is the same call, what is answered from the store, and what is recorded."""

import copy
import dataclasses
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rms_jupyter as rms


def counted(function):
    """Let a function count its runs."""
    function.runs = []
    return function


RUNS = []


def add(i, j=2):
    RUNS.append((i, j))
    return i + j


@pytest.fixture(autouse=True)
def no_runs():
    RUNS.clear()


@pytest.fixture
def add_(s):
    return s.register_pipe(add, ignore="RUNS")


# C1 to C3 ---------------------------------------------------------------------------------------------------------


def test_defaults_and_keywords_make_the_same_call(add_):
    results = [add_(1, 2), add_(1), add_(i=1, j=2)]
    assert len(RUNS) == 1
    assert len({r.id for r in results}) == 1
    assert [r.content for r in results] == [3, 3, 3]
    assert [r.task.hit for r in results] == [False, True, True]


def test_numbers_of_different_type_are_different_arguments(add_):
    results = [add_(1), add_(1.0), add_(True)]
    assert len(RUNS) == 3
    assert [type(r.content) for r in results] == [int, float, int]


def test_a_result_as_an_argument_draws_the_lineage(s, add_):
    inner = add_(1, 2)
    outer = add_(inner, 4)
    assert outer.content == 7
    assert [node.id for node in s.lineage(outer, down=False).tasks] == [outer.task.id, inner.task.id]
    assert [node.id for node in s.lineage(outer, down=False, depth=1).tasks] == [outer.task.id]
    assert [node.id for node in s.lineage(inner, up=False).tasks] == [outer.task.id]


def test_the_same_arguments_are_given_by_run(s, add_):
    assert s.run(add_, args=[1, 2]).id == s.run(add_, kwargs={"i": 1}).id == add_(1).id


def test_wrong_arguments_raise_as_the_function_would(add_):
    with pytest.raises(TypeError, match=r"add\(\) missing 1 required positional argument: 'i'"):
        add_()


def test_another_session_answers_what_this_one_has_done(s, reopen):
    def double(x):
        return 2 * x

    first = s.register_pipe(double)(21)
    later = reopen(s)
    again = later.register_pipe(double)(21)
    assert again.task.hit and again.id == first.id and again.content == 42


def loaded_here(n):
    return n + 0.5


def loaded_there(n):
    return n + 0.5


def test_calls_of_pipes_with_the_same_code_are_on_record_under_their_own_names(s, reopen):
    here, there = s.register_pipe(loaded_here), s.register_pipe(loaded_there)
    here(1), there(2)
    assert there(1).task.hit  # What a function is called does not count.
    again = reopen(s)
    resource = again.register_pipe(loaded_there)(2)
    assert resource.task.hit and resource.task.call == "loaded_there(2)"
    assert again.register_pipe(loaded_here)(1).task.call == "loaded_here(1)"
    counts = again.sql("SELECT name, count(*) FROM pipes JOIN tasks ON pipe = name GROUP BY ALL ORDER BY name")
    assert counts.fetchall() == [("loaded_here", 1), ("loaded_there", 1)]


def test_every_kind_of_signature(s):
    def f(a, /, b, *rest, c=3, **more):
        return (a, b, rest, c, more)

    pipe = s.register_pipe(f)
    assert pipe(1, 2, 3, 4, c=5, d=6).content == (1, 2, (3, 4), 5, {"d": 6})
    assert pipe(1, b=2).content == (1, 2, (), 3, {})
    assert pipe(1, 2, 3, 4, d=6, c=5).task.hit


# C5 to C8: files --------------------------------------------------------------------------------------------------


def test_declared_outputs_are_registered_in_declared_order(s):
    def split(source, odd, even):
        lines = Path(source).read_text().split()
        Path(odd).write_text(" ".join(lines[::2]))
        Path(even).write_text(" ".join(lines[1::2]))

    Path("in.txt").write_text("a b c d")
    pipe = s.register_pipe(split, outputs=["even", "odd"])
    even, odd = pipe("in.txt", "odd.txt", "even.txt")
    assert (even.path, odd.path) == (os.path.abspath("even.txt"), os.path.abspath("odd.txt"))
    assert Path(even).read_text() == "b d"
    assert even.task.id == odd.task.id and even.digest != odd.digest
    assert [f.path for f in odd.files] == [even.path, odd.path]
    assert set(s.lineage(even, down=False, depth=1).files) == {even.path, os.path.abspath("in.txt")}


def test_an_output_pattern_over_the_arguments(s):
    def copy(source):
        Path(f"{source[:-4]}.bak").write_text(Path(source).read_text())

    Path("a.txt").write_text("x")
    assert s.register_pipe(copy, outputs="{stem}.bak")("a.txt").path == os.path.abspath("a.bak")


def test_an_output_function_names_the_files(s):
    def write(folder, names):
        for name in names:
            Path(os.path.join(folder, name)).write_text(name)

    made = s.register_pipe(write, output_func=lambda folder, names: [f"{folder}/{n}" for n in names])(".", ["x", "y"])
    assert [os.path.basename(f.path) for f in made] == ["x", "y"]


@pytest.mark.parametrize("content, message", [(None, "out.txt was not made"), ("", "out.txt is empty")])
def test_a_declared_output_that_is_missing_or_empty_fails_the_task(s, content, message):
    def write(path):
        if content is not None:
            Path(path).write_text(content)

    with pytest.raises(rms.ContractError, match=message):
        s.register_pipe(write, outputs="path")("out.txt")
    [task] = s.tasks(status="failed")
    assert "ContractError" in task.error


def test_an_empty_output_is_allowed_by_option(s):
    def write(path):
        Path(path).touch()

    assert s.register_pipe(write, outputs="path", allow_empty=True)("out.txt").size == 0


def test_aiming_at_a_path_that_another_call_wrote_is_refused(s):
    def write(path, text):
        Path(path).write_text(text)

    pipe = s.register_pipe(write, outputs="path")
    pipe("out.txt", "one")
    with pytest.raises(rms.OverwriteError, match=r'out.txt, which write\("out.txt", text="one"\) has made'):
        pipe("out.txt", "two")
    assert Path("out.txt").read_text() == "one"


def test_overwriting_when_allowed(s):
    def write(path, text):
        Path(path).write_text(text)

    def read(source):
        return Path(source).read_text()

    pipe, reader = s.register_pipe(write, outputs="path", overwrite=True), s.register_pipe(read)
    old = pipe("out.txt", "one")
    new = pipe("out.txt", "two")
    assert old.status == "overwritten" and new.status == "current"
    assert s.file_from_path("out.txt").id == new.id
    assert [f.id for f in s.files("out.txt")] == [new.id]
    with pytest.raises(rms.StaleInputError, match="before it was overwritten"):
        reader(old)
    assert reader(new).content == "two"
    again = pipe("out.txt", "one")
    assert not again.task.hit and again.task.reason.startswith("output_changed")
    assert Path("out.txt").read_text() == "one"


def test_a_plain_path_is_an_input_when_the_call_reads_it(s):
    def load(path):
        return Path(path).read_text()

    pipe = s.register_pipe(load)
    Path("flights.csv").write_text("1")
    first = pipe("flights.csv")
    assert s.lineage(first, down=False).files == [os.path.abspath("flights.csv")]
    assert pipe("flights.csv").task.hit
    Path("flights.csv").write_text("2")
    second = pipe("flights.csv")
    assert second.content == "2" and second.task.reason == "input_changed flights.csv"
    Path("flights.csv").write_text("1")
    assert pipe("flights.csv").id == first.id


def test_touching_a_file_changes_nothing(s):
    def load(path):
        return Path(path).read_text()

    Path("a.csv").write_text("1")
    pipe = s.register_pipe(load)
    pipe("a.csv")
    os.utime("a.csv", (1, 1))
    assert pipe("a.csv").task.hit


def test_a_declared_output_counts_whatever_the_arguments_are(s, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(i):
        with open(str(i), "w") as file:
            file.write("x")

    assert s.register_pipe(write, outputs=["{i}"])(7).path == str(tmp_path / "7")


def test_a_plain_path_that_the_call_writes_is_an_output(s):
    def write(path, x):
        Path(path).write_text(str(x))

    pipe = s.register_pipe(write)
    result = pipe("out.txt", 1)
    assert [f.path for f in result.files] == [os.path.abspath("out.txt")]
    assert pipe("out.txt", 1).task.hit
    os.remove("out.txt")
    again = pipe("out.txt", 1)
    assert again.task.reason == f"output_missing {os.path.abspath('out.txt')}" and os.path.exists("out.txt")


def test_in_and_out_say_it_explicitly(s):
    def copy(source: rms.In, target: rms.Out):
        Path(target).write_text(Path(source).read_text())

    Path("a.txt").write_text("x")
    pipe = s.register_pipe(copy)
    made = pipe("a.txt", "b.txt")
    assert made.path == os.path.abspath("b.txt")
    os.rename("a.txt", "c.txt")
    assert pipe("c.txt", "b.txt").task.hit, "the content is in the key, not the name"
    with pytest.raises(rms.RmsError, match=r"no file .*a.txt"):
        pipe("a.txt", "b.txt")


def test_files_nested_in_arguments_give_edges_with_roles(s):
    def join(samples, table):
        return sum(len(Path(sample["path"]).read_text()) for sample in samples) + len(Path(table["ref"]).read_text())

    for name in "abc":
        Path(f"{name}.txt").write_text(name)
    c = s.register_file("c.txt")
    result = s.register_pipe(join)([{"path": "a.txt"}, {"path": "b.txt"}], {"ref": c})
    assert result.content == 3
    roles = {role for _, target, role in s.lineage(result, down=False).edges if target == result.task.id}
    assert roles == {"samples[0].path", "samples[1].path", "table.ref"}


def test_a_file_named_in_the_code_counts_too(s):
    def load():
        return Path("flights.csv").read_text()

    Path("flights.csv").write_text("1")
    pipe = s.register_pipe(load)
    assert pipe().content == "1" and pipe().task.hit
    Path("flights.csv").write_text("2")
    assert pipe().content == "2"


def test_a_file_that_was_not_there_before_counts(s):
    def either(path):
        return Path(path).read_text() if os.path.exists(path) else "none"

    pipe = s.register_pipe(either)
    assert pipe("maybe.txt").content == "none"
    Path("maybe.txt").write_text("some")
    assert pipe("maybe.txt").content == "some"


def test_a_registered_file_reaches_the_function_as_its_path(s):
    def kind(path):
        return type(path).__name__ + os.path.basename(path)

    Path("a.txt").write_text("x")
    file = s.register_file("a.txt")
    assert s.register_pipe(kind)(file).content == "stra.txt"
    assert s.register_file("a.txt").id == file.id
    assert (file.size, file.status, file.task) == (1, "current", None)


def test_a_registered_file_that_has_changed_is_refused_until_it_is_registered_again(s):
    def load(path):
        return Path(path).read_text()

    Path("a.txt").write_text("x")
    file = s.register_file("a.txt")
    Path("a.txt").write_text("other")
    with pytest.raises(rms.StaleInputError, match="has changed since it was recorded"):
        s.register_pipe(load)(file)
    with pytest.raises(rms.StaleInputError, match="force=True"):
        s.register_file("a.txt")
    newer = s.register_file("a.txt", force=True)
    assert newer.id != file.id and file.status == "overwritten" and s.register_pipe(load)(newer).content == "other"


# C9, C14, C15 -----------------------------------------------------------------------------------------------------


def test_a_generator_is_read_once_and_made_again_as_an_input(s):
    def numbers(n):
        RUNS.append(n)
        yield from range(n)

    def total(xs):
        return sum(xs)

    numbers_, total_ = s.register_pipe(numbers, ignore="RUNS"), s.register_pipe(total)
    g = numbers_(4)
    assert list(g.content) == [0, 1, 2, 3]
    with pytest.raises(rms.RmsError, match="can be read only once"):
        list(g.content)
    assert total_(g).content == 6
    assert total_(numbers_(4)).task.hit


def test_a_failed_call_is_recorded_and_the_exception_passes_unchanged(s):
    class Odd(Exception):
        pass

    error = Odd("x is odd")

    def even(x):
        print("looking at", x)
        if x % 2:
            raise error
        return x

    pipe = s.register_pipe(even)
    with pytest.raises(Odd) as caught:
        pipe(3)
    assert caught.value is error
    [task] = s.tasks(status="failed")
    assert task.error == "Odd: x is odd" and task.printed == "looking at 3\n"
    [(text,)] = s.sql("SELECT traceback FROM logs WHERE task_id = ?", [task.id]).fetchall()
    assert "raise error" in text and "rms_jupyter" not in text
    with pytest.raises(Odd):
        pipe(3)
    assert [t.reason for t in s.tasks(status="failed")] == ["failed_before Odd", "never_run"]


@dataclasses.dataclass
class Sample:
    name: str
    values: list


@pytest.mark.parametrize(
    "value",
    [
        np.arange(5.0),
        np.arange(100_000),
        pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
        {1, 2, 3},
        b"\0\1",
        Sample("a", [1, 2]),
        {"deep": [{"er": (1, {2})}]},
        float("nan"),
        2**80,
        "x" * 20_000,
        None,
        pd.Timestamp("2020-01-01", tz="UTC"),
        np.array([], "f4"),
    ],
    ids=lambda v: type(v).__name__,
)
def test_arguments_and_results_of_any_kind(s, value, reopen):
    def same(x):
        return x

    first = s.register_pipe(same)(value)
    assert type(first.content) is type(value)
    later = reopen(s)
    again = later.register_pipe(same)(value)
    assert again.task.hit and again.digest == first.digest
    assert repr(again.content) == repr(value)


def test_results_nested_at_any_depth(s):
    def make(x):
        return np.full(3, x)

    def total(stuff):
        return float(sum(a.sum() for a in stuff["list"]) + stuff["sample"].values[0].sum())

    make_, total_ = s.register_pipe(make), s.register_pipe(total)
    a, b, c = make_(1), make_(2), make_(3)
    result = total_({"list": [a, (b)], "sample": Sample("q", [c])})
    assert result.content == 18.0
    assert {n.id for n in s.lineage(result, down=False).tasks} == {result.task.id, a.task.id, b.task.id, c.task.id}
    assert total_({"list": [make_(1), make_(2)], "sample": Sample("q", [make_(3)])}).task.hit


# C18: the first cell of a messy notebook ---------------------------------------------------------------------------


def namespace_of(code):
    """Run code as a notebook's cell would be run; gives its variables."""
    import linecache

    filename = f"<cell {time.time_ns()}>"
    linecache.cache[filename] = (len(code), None, code.splitlines(True), filename)
    namespace = {"__name__": "__main__"}
    exec(compile(code, filename, "exec"), namespace)
    return namespace


def test_pipes_that_call_pipes_are_plain_calls(s):
    ns = namespace_of("def inner(x):\n    return x + 1\ndef outer(x):\n    return inner(x) * 2\n")
    ns["inner"] = s.register_pipe(ns["inner"])
    outer = s.register_pipe(ns["outer"])
    assert outer(1).content == 4
    assert [t.pipe.name for t in s.tasks()] == ["outer"]
    assert set(outer(1).task.pipe.parts) == {"outer", "inner"}


def test_helpers_defined_later(s):
    ns = namespace_of("def outer(x):\n    return helper(x)\n")
    outer = s.register_pipe(ns["outer"])
    with pytest.raises(NameError, match="helper"):
        outer(1)
    exec("def helper(x): return x + 1", ns)
    assert outer(1).content == 2
    exec("def helper(x): return x + 2", ns)
    again = outer(1)
    assert again.content == 3 and "code_changed helper" in again.task.reason


def test_a_global_that_has_no_digest_is_named_once(s):
    ns = namespace_of("import threading\nlock = threading.Lock()\ndef f(x):\n    with lock:\n        return x\n")
    f = s.register_pipe(ns["f"])
    with pytest.warns(rms.RmsWarning, match=r"f runs each time.*lock: .*ignore=\"lock\"") as caught:
        assert [f(1).content, f(1).content] == [1, 1]
    assert len(caught) == 1
    assert len(s.tasks(pipe="f")) == 2
    assert s.register_pipe(ns["f"], ignore="lock")(1).content == 1
    assert s.register_pipe(ns["f"], ignore="lock")(1).task.hit


def test_loggers_and_modules_count_by_name(s):
    ns = namespace_of(
        "import logging, math\nlog = logging.getLogger('a')\ndef f(x):\n    log.info(x)\n    return math.sqrt(x)\n"
    )
    f = s.register_pipe(ns["f"])
    assert f(4).content == 2.0 and f(4).task.hit


def test_a_global_that_changes_is_an_input(s):
    ns = namespace_of("CUTOFF = 30\ndef late(x):\n    return x > CUTOFF\n")
    late = s.register_pipe(ns["late"])
    assert late(35).content is True
    ns["CUTOFF"] = 40
    again = late(35)
    assert again.content is False and again.task.reason == "input_changed CUTOFF 30 → 40"
    ns["CUTOFF"] = 30
    assert late(35).task.hit
    assert s.sql("SELECT value FROM params WHERE name = 'CUTOFF' ORDER BY task_id").fetchall() == [("30",), ("40",)]


def test_an_argument_that_has_no_digest_runs_each_time(s):
    def f(lock, x):
        RUNS.append(x)
        return x

    pipe = s.register_pipe(f, ignore="RUNS")
    import threading

    with pytest.warns(rms.RmsWarning, match="lock: _thread.lock cannot be described"):
        pipe(threading.Lock(), 1)
    pipe(threading.Lock(), 1)
    assert len(RUNS) == 2 and len(s.tasks(pipe="f")) == 2


# C20: changing content ----------------------------------------------------------------------------------------------


def test_content_may_be_changed_without_a_wrong_result(s):
    def make():
        return {"a": [1]}

    def total(d):
        return sum(v for values in d.values() for v in values)

    make_, total_ = s.register_pipe(make), s.register_pipe(total)
    r = make_()
    r.content["z"] = [100]
    assert total_(r).content == 1
    assert make_().content == {"a": [1]}


def test_a_function_that_changes_its_input_does_no_harm(s):
    def make():
        return [1, 2]

    def spoil(xs):
        xs.append(99)
        return len(xs)

    make_, spoil_ = s.register_pipe(make), s.register_pipe(spoil)
    r = make_()
    assert spoil_(r).content == 3
    assert s.register_pipe(lambda xs: sum(xs), name="total")(r).content == 3


def test_what_a_handle_gives_may_be_changed_without_harm(s):
    def frame():
        return pd.DataFrame({"a": [1, 2]})

    def array():
        return np.arange(10_000)

    f, a = s.register_pipe(frame)(), s.register_pipe(array)()
    f.content["z"] = 1
    a.content[0] = 5
    assert list(s.run(s.pipes["frame"]).content.columns) == ["a"] and s.run(s.pipes["array"]).content[0] == 0
    names, first = s.register_pipe(lambda x: list(x), name="names"), s.register_pipe(lambda x: int(x[0]), name="first")
    assert names(f).content == ["a"] and first(a).content == 0


def test_an_array_that_others_still_hold_does_not_change_the_result(s):
    kept = np.arange(10_000)

    def lend():
        return kept

    r = s.register_pipe(lend, ignore="kept")()
    kept[0] = 99
    assert r.content[0] == 0


@pytest.mark.parametrize(
    "make", [lambda: [1, 2, 3], lambda: 3.25, lambda: pd.DataFrame({"a": [1]}), lambda: np.arange(4), lambda: {"k": 1}]
)
def test_a_plain_value_taken_from_a_resource_still_gives_the_edge(s, make):
    made = s.register_pipe(make, name="make")()
    plain = made.content
    used = s.register_pipe(lambda x: str(x), name="use")(plain)
    assert made.task.id in {node.id for node in s.lineage(used, down=False).tasks}


def test_an_item_of_a_result_gives_the_edge(s):
    def pair():
        return [1, 2], {"a": 1}

    made = s.register_pipe(pair)()
    _, second = made.content
    used = s.register_pipe(lambda d: len(d), name="use")(second)
    assert made.task.id in {node.id for node in s.lineage(used, down=False).tasks}


def test_a_plain_value_that_was_changed_is_given_with_an_edge_from_what_it_was(s):
    made = s.register_pipe(lambda: [1, 2], name="make")()
    plain = made.content
    plain.append(3)
    used = s.register_pipe(lambda x: len(x), name="use")(plain)
    assert used.content == 3
    lineage = s.lineage(used, down=False)
    [given] = [source for source, target, role in lineage.edges if target == used.task.id and role == "x"]
    assert given != made.id and (made.id, given, "changed in the notebook") in lineage.edges
    assert s.sql("SELECT kind FROM resources WHERE id = ?", [given]).fetchall() == [("given",)]
    assert made.task.id in {node.id for node in lineage.tasks}
    assert s.sql("SELECT dst FROM edges WHERE src = ? AND role = 'changed in the notebook'", [made.id]).fetchall() == [
        (given,)
    ]


def test_small_numbers_are_not_taken_for_results(s):
    add = s.register_pipe(lambda a, b: a + b, name="add")
    add(1, 2)
    result = add(3, 4)
    assert len(s.lineage(result, down=False).tasks) == 1


# Values and options --------------------------------------------------------------------------------------------------


def test_returns_value(s):
    one = s.register_pipe(lambda: [1], name="one", returns="value")()
    assert type(one) is list
    used = s.register_pipe(lambda x: x, name="use")(one)
    assert len(s.lineage(used, down=False).tasks) == 2


def test_value_unwraps_at_any_depth(s):
    r = s.register_pipe(lambda: [1], name="one")()
    assert rms.value({"a": (r, 2), "b": Sample("x", [r])}) == {"a": ([1], 2), "b": Sample("x", [[1]])}


def test_ignored_arguments_do_not_count(s):
    def f(x, verbose=False):
        return x

    pipe = s.register_pipe(f, ignore="verbose")
    pipe(1, verbose=True)
    assert pipe(1, verbose=False).task.hit
    [(args,)] = s.sql("SELECT args FROM tasks").fetchall()
    assert args == '{"x":1,"verbose":true}'


@pytest.mark.parametrize(
    "options, message",
    [
        ({"colour": 1}, "no option 'colour'"),
        ({"volatile": "yes"}, "volatile"),
        ({"outputs": "{nothing}.txt"}, "uses nothing, which is no argument"),
        ({"name": "a b"}, "'a b' cannot name a pipe"),
    ],
)
def test_wrong_options_are_refused(s, options, message):
    with pytest.raises(rms.RegistrationError, match=message):
        s.register_pipe(add, **options)


def test_what_is_no_function_is_refused(s):
    with pytest.raises(rms.RegistrationError, match="int is not callable"):
        s.register_pipe(5)


def test_functions_of_packages_and_classes(s):
    svd = s.register_pipe(np.linalg.svd)
    result = svd(np.eye(2), full_matrices=False)
    assert result.task.pipe.parts.keys() == {"numpy"} and np.allclose(result.content[1], 1)
    assert svd(np.eye(2), full_matrices=False).task.hit


def test_a_result_that_cannot_be_pickled_stays_usable(s, reopen):
    class Local:
        def __reduce__(self):
            raise TypeError("not me")

        size = 5

    def make():
        return Local()

    pipe = s.register_pipe(make)
    with pytest.warns(rms.RmsWarning, match="make: the result is not kept"):
        r = pipe()
    assert r.content.size == 5
    later = reopen(s)
    again = later.register_pipe(make)()
    assert again.task.hit and again.content.size == 5


def test_a_result_not_kept_needs_its_pipe(s, reopen):
    def numbers():
        yield 1

    s.register_pipe(numbers)()
    later = reopen(s)
    [task] = later.tasks()
    with pytest.raises(rms.NotRecomputable, match="no pipe numbers with the same code"):
        _ = later.home.resource(task.id + 1).content


def test_pickling_a_result_gives_its_value(s):
    import pickle

    r = s.register_pipe(lambda: {"a": 1}, name="make")()
    assert pickle.loads(pickle.dumps([r, s.register_pipe(lambda: 3, name="three")()])) == [{"a": 1}, 3]


def test_a_handle_is_not_the_value_and_says_so(s):
    r = s.register_pipe(lambda: pd.DataFrame({"a": [1]}), name="make")()
    uses = [
        lambda: r + 1, lambda: len(r), lambda: r["a"], lambda: list(r), lambda: r == 3, lambda: r < 3, lambda: float(r),
        lambda: np.asarray(r), lambda: np.isnan(r), lambda: r.__setitem__("b", 1), lambda: setattr(r, "x", 1), lambda: 1 in r,
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(TypeError, match=r"<make\(\) = 1 row × 1 column> is a handle.*\.content"):
            use()
    with pytest.raises(AttributeError, match=r"has no 'columns': the value's is \.content\.columns"):
        _ = r.columns
    assert type(r).__name__ == "Resource" and not isinstance(r, pd.DataFrame) and r is not None and copy.copy(r) is r


def test_printed_text_is_kept(s, capsys):
    def f():
        print("hello")
        return 1

    assert s.register_pipe(f)().task.printed == "hello\n"
    assert capsys.readouterr().out == "hello\n"


def test_the_short_way_makes_the_same_record(s, reopen):
    """Calls of numbers take a short way (`run.call.numeric`); what they leave is what the general way leaves."""
    from rms_jupyter.run.call.numeric import PlainCalls

    def record(ident):
        place, task = s.store.record(ident)
        fields = {name: getattr(task, name) for name in task.__struct_fields__}
        for name in ("k", "seconds", "cpu", "started", "run", "reason", "earlier"):
            del fields[name]
        return {**fields, "args": bytes(task.args), "globals": bytes(task.globals)}

    def f(i, j=2.5):
        return i * j

    short = s.register_pipe(f)(3)
    s.store.append(
        __import__("rms_jupyter.store.store", fromlist=["x"]).status_record([short.task.id], "deprecated", 10**6)
    )
    original = PlainCalls.answer_new
    PlainCalls.answer_new = lambda self, *args: None
    try:
        long = s.register_pipe(f)(3)
    finally:
        PlainCalls.answer_new = original
    assert short.task.id != long.task.id
    assert record(short.task.id) == record(long.task.id)


def test_a_log_that_a_function_writes_aside_is_no_output(s):
    def f(x):
        with Path("runs.log").open("a") as log:
            log.write(f"{x}\n")
        return x

    pipe = s.register_pipe(f)
    results = [pipe(1), pipe(2), pipe(1), pipe(2)]
    assert [r.task.hit for r in results] == [False, False, True, True]
    assert not s.files() and Path("runs.log").read_text() == "1\n2\n"


def test_long_text_and_modules_as_arguments_are_kept_for_making_a_value_again(s, reopen):
    import math

    def measure(text, module):
        return [len(text), module.floor(1.5)]

    r = s.register_pipe(measure, volatile=True)("x" * 5000, math)
    second = reopen(s)
    second.register_pipe(measure, volatile=True)
    assert second.home.resource(r.id).content == [5000, 1]
    second.close()


def test_the_name_of_a_file_that_is_no_utf8_can_be_an_argument(s):
    same = s.register_pipe(lambda name: len(name), name="same")
    odd = os.fsdecode(b"a\xff.txt")
    assert same(odd).content == 6 and same(odd).task.hit


def test_globals_of_one_name_in_two_modules_both_count(s, tmp_path, monkeypatch):
    import importlib

    (tmp_path / "with_rate.py").write_text("RATE = 1\ndef scale(x):\n    return x * RATE\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("with_rate")
    space = {"__name__": "__main__", "scale": module.scale, "RATE": 10}
    path = tmp_path / "cell.py"
    path.write_text("def late(x):\n    return scale(x) + RATE\n")
    exec(compile(path.read_text(), str(path), "exec"), space)
    late = s.register_pipe(space["late"])
    assert late(2).content == 12
    params = dict(s.sql("SELECT name, value FROM params WHERE pipe = 'late'").fetchall())
    assert sorted(v for name, v in params.items() if "RATE" in name) == ["1", "10"]
    module.RATE = 2
    assert late(2).content == 14
    del __import__("sys").modules["with_rate"]
