"""What rules rest on: patterns that are read and written, files that belong together, and what becomes of each."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rms_jupyter.errors import RmsError
from rms_jupyter.flows.rules.context import rendered
from rms_jupyter.flows.rules.declaring import WrongOption, declare, options_of
from rms_jupyter.flows.rules.joining import Joining
from rms_jupyter.flows.rules.ledger import Ledger, Stamp
from rms_jupyter.flows.rules.pattern import Pattern, escape

WORDS = st.text("abcXYZ09 -.é", min_size=1, max_size=8).filter(lambda text: not text.startswith("."))


@given(run=WORDS, n=st.integers(0, 10**6), x=st.floats(0, 1000).map(lambda x: round(x, 2)))
def test_what_a_pattern_writes_it_reads(run, n, x):
    pattern = Pattern("/raw/{run}/{n:03d}_{x:.2f}.tif")
    values = {"run": run, "n": n, "x": x}
    assert pattern.parse(pattern.fill(values)) == values


@given(path=st.text("ab0123_-/.", max_size=24).map(lambda text: "/" + text))
@settings(max_examples=400)
def test_what_a_pattern_reads_it_writes(path):
    for text in ("/{run}_{n:03d}", "/{a}/{a}_{n:d}", "/{x:.1f}", "/{n:d}", "/{n:4d}.{b}"):
        pattern = Pattern(text)
        if (values := pattern.parse(path)) is not None:
            assert pattern.fill(values) == path


@given(st.text(min_size=1, max_size=12).filter(lambda text: "/" not in text and "\0" not in text and text not in "..."))
def test_what_is_escaped_stands_for_itself(text):
    assert Pattern("/" + escape(text)).parse("/" + text) == {}


@pytest.mark.parametrize(
    ("pattern", "path", "values"),
    [
        ("/raw/{run}_{n:03d}.tif", "/raw/night_a_007.tif", {"run": "night_a", "n": 7}),
        ("/raw/{run}_{n:03d}.tif", "/raw/a_1234.tif", {"run": "a", "n": 1234}),
        ("/raw/{run}_{n:03d}.tif", "/raw/a_7.tif", None),
        ("/raw/{run}_{n:03d}.tif", "/raw/a_0007.tif", None),
        ("/raw/{run}_{n:03d}.tif", "/raw/sub/a_007.tif", None),
        ("/raw/{run}.tif", "/raw/.a.tif", None),  # Being copied.
        ("/raw/*.tif", "/raw/.a.tif", None),
        ("/raw/*.tif", "/raw/a.tif", {}),
        ("/raw/**/{x}.tif", "/raw/a.tif", {"x": "a"}),
        ("/raw/**/{x}.tif", "/raw/b/c/a.tif", {"x": "a"}),
        ("/raw/**/{x}.tif", "/raw/.b/a.tif", None),
        ("/raw/{a}/{a}.tif", "/raw/x/x.tif", {"a": "x"}),
        ("/raw/{a}/{a}.tif", "/raw/x/y.tif", None),
        ("/raw/a?.tif", "/raw/ab.tif", {}),
        (r"/raw/\{run\}.tif", "/raw/{run}.tif", {}),
        ("/raw/{run}.tif", "/raw/line\nbreak.tif", {"run": "line\nbreak"}),
    ],
)
def test_patterns(pattern, path, values):
    assert Pattern(pattern).parse(path) == values


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("raw/{run.tif", "has a { that belongs to no wildcard"),
        ("raw/{a}{b}.tif", "nothing parts {a} from {b}"),
        ("raw/{n:x}.tif", "not one that can be read back"),
        ("raw/{n:d}_{n:03d}.tif", "in two formats"),
    ],
)
def test_what_is_not_a_pattern_is_refused(pattern, words):
    with pytest.raises(RmsError, match=words.replace("{", r"\{")):
        Pattern(pattern)


@pytest.mark.parametrize("value", ["a/b", "", ".hidden/..", "\0"])
def test_a_value_cannot_leave_its_part_of_the_path(value):
    with pytest.raises(RmsError, match="cannot be"):
        Pattern("/out/{run}.csv").fill({"run": value})


def test_names_that_are_not_known_are_refused():
    with pytest.raises(RmsError, match=r"'sereis' is undefined(.|\n)*the context has: series"):
        rendered("raw/{{ sereis }}.tif", {"series": "a"})
    with pytest.raises(RmsError, match=r"not a valid template"):
        rendered("raw/{{ series", {"series": "a"})
    with pytest.raises(RmsError, match="unsafe"):
        rendered("{{ series.__class__.__mro__ }}", {"series": "a"})


def test_what_is_filled_into_a_pattern_stands_for_itself():
    text = rendered("/{{ folder }}/{n:d}", {"folder": "a{b}*"}, is_pattern=True)
    assert Pattern(text).parse("/a{b}*/3") == {"n": 3}


def declared(**options):
    return declare(options_of({"do": print, **options}), {}, "/data")


@pytest.mark.parametrize(
    ("options", "option", "words"),
    [
        ({"files": "raw/{n:d}.tif", "output": "x"}, "output", "did you mean outputs"),
        ({"files": "raw/{n:d}.tif", "outputs": "out/{m}.csv"}, "outputs", "which no input has"),
        ({"files": "raw/{x}.tif", "outputs": "raw/{x}_clean.tif"}, "outputs", "also means what the rule writes"),
        ({"files": "raw/**/{x}.tif", "outputs": "raw/done/{x}.tif"}, "outputs", "also means what the rule writes"),
        ({"files": "raw/*.tif", "outputs": "raw/{stem}_2.tif"}, "outputs", "also means what the rule writes"),
        ({"files": "raw/{x}.tif", "outputs": "out/*.csv"}, "outputs", "without a name"),
        ({"files": "raw/{x}.tif", "marker": "raw/{y}.ok"}, "marker", "which no input has"),
        ({"files": "raw/{x}.tif", "data_complete": "raw/{x}"}, "data_complete", "not the name of one file"),
        ({"files": 3}, "files", "not a pattern"),
        ({"files": []}, "files", "no pattern"),
        ({"files": "x", "settle": "soon"}, "settle", "give seconds"),
        ({"files": "x", "release": 0}, "release", "number of calls"),
        ({"files": "x", "retries": "two"}, "retries", "not a valid number"),
        ({"files": "x", "prepare": "it"}, "prepare", "not a function"),
        ({"files": "x", "context": []}, "context", "not a mapping"),
        ({"files": "{{ x }}"}, "files", "'x' is undefined"),
    ],
)
def test_options_that_are_not_right_are_named(options, option, words):
    with pytest.raises(WrongOption) as wrong:
        declared(**options)
    assert wrong.value.option == option and words in str(wrong.value)


def test_files_belong_together_whose_names_agree():
    joining = Joining(
        {"image": [Pattern("/{run}_{n:d}.tif")], "dark": [Pattern("/{run}.dark")], "flat": [Pattern("/flat")]}
    )
    found = [
        match
        for path in ("/a_1.tif", "/b.dark", "/a.dark", "/a_2.tif", "/flat", "/b_1.tif")
        for match in joining.add(path)
    ]
    assert [(match.values, match.key) for match in found] == [
        ({"run": "a", "n": 1}, ("/a_1.tif", "/a.dark", "/flat")),
        ({"run": "a", "n": 2}, ("/a_2.tif", "/a.dark", "/flat")),
        ({"run": "b", "n": 1}, ("/b_1.tif", "/b.dark", "/flat")),
    ]
    joining.remove("/flat")
    assert list(joining.add("/a_3.tif")) == []


class Disk(dict):
    """Files and their stamps, as a ledger is shown them."""

    def write(self, ledger, path, size, now):
        self[path] = Stamp(size, int(now * 1e9), 1)
        ledger.see(path, self[path], now)

    def settle(self, ledger, now):
        ledger.settle(now, self.get, lambda path: True)


def ledger():
    return Ledger(Joining({"": [Pattern("/{n:d}")]}), 1.0), Disk()


def add_up(counts):
    return counts.settling + counts.waiting + counts.running + counts.done + counts.failed + counts.gone


def test_a_file_settles_once_it_is_still():
    book, disk = ledger()
    for now in (0, 0.5, 1.0, 1.5):
        disk.write(book, "/1", now, now)
        disk.settle(book, now)
    disk.settle(book, 2.4)
    assert book.counts()[:4] == (1, 1, 0, 0)
    disk.settle(book, 2.5)
    assert book.counts()[:4] == (1, 0, 0, 1)


def test_a_file_that_is_written_while_its_call_runs_makes_another_call():
    book, disk = ledger()
    disk.write(book, "/1", 1, 0)
    disk.settle(book, 1)
    [call] = book.waiting
    book.begin(call)
    disk.write(book, "/1", 2, 1.5)
    assert book.counts().running == 1 and add_up(book.counts()) == 1
    book.end(call, "done", 2)
    assert book.counts().settling == 1 and add_up(book.counts()) == 1
    disk.settle(book, 3)
    assert len(book.waiting) == 1 and add_up(book.counts()) == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from("123"), st.sampled_from(["write", "delete", "begin", "done", "failed", "wait", "settle"])
        ),
        max_size=40,
    )
)
@settings(max_examples=300)
def test_counts_add_up_whatever_happens(events):
    book, disk = ledger()
    now = 0.0
    for name, event in events:
        now += 0.4
        path = "/" + name
        if event == "write":
            disk.write(book, path, now, now)
        elif event == "delete":
            disk.pop(path, None)
            book.see(path, None, now)
        elif event == "begin":
            for call in list(book.waiting):
                book.begin(call)
        elif event in ("done", "failed"):
            for call in [call for call in book.calls.values() if call.state == "running"]:
                book.end(call, event, now)
        disk.settle(book, now + 5 * (event == "settle"))
        counts = book.counts()
        assert add_up(counts) == counts.arrived and min(counts) >= 0
        assert len(book.waiting) == counts.waiting
