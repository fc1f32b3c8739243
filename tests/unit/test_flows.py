"""The pure parts of flows: the graph, the inputs of tasks, expressions, and what a script asks for."""

import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rms_jupyter as rms
from rms_jupyter.flows.expression import Expression
from rms_jupyter.flows.graph import parse
from rms_jupyter.flows.growth import Growth
from rms_jupyter.flows.multiplex import Multiplex, Products, SegmentOutput
from rms_jupyter.flows.script import SegmentScript


@pytest.mark.parametrize(
    ("dot", "segments", "edges"),
    [
        ("a", ["a"], []),
        ("a -> b -> d; c -> d; c -> e;", ["a", "c", "b", "e", "d"], [("a", "b"), ("c", "e"), ("b", "d"), ("c", "d")]),
        ("digraph fft { mkgauss->convol; fftimg->convol }", ["mkgauss", "fftimg", "convol"], [("mkgauss", "convol"), ("fftimg", "convol")]),
        ('// one\n"my seg" -> b /* two\nlines */\n# three\nb -> "a \\"q\\""', ["my seg", "b", 'a "q"'], [("my seg", "b"), ("b", 'a "q"')]),
        ("node [shape=box]; a -> b [label=x]; a -> b", ["a", "b"], [("a", "b")]),
        ("a:n -> b:s", ["a", "b"], [("a", "b")]),
        ("graphite -> b", ["graphite", "b"], [("graphite", "b")]),
    ],
)  # fmt: skip
def test_a_graph_is_read_and_written(dot, segments, edges):
    graph = parse(dot)
    assert list(graph.segments) == segments and graph.edges == edges
    again = parse(graph.to_dot())
    assert (again.segments, again.edges) == (graph.segments, graph.edges)


@pytest.mark.parametrize(
    ("dot", "message"),
    [
        ("", "the flow has no segments"),
        ("  // nothing\n", "the flow has no segments"),
        ("a -> b;\nc -> -> d", r"not valid DOT in line 2: c -> -> d"),
        ("digraph {\na -> b;\nc ->\n}", r"not valid DOT in line 3"),
        ("a -> {b c}", "no subgraphs"),
        ("subgraph x { a -> b }", "no subgraphs"),
        ("graph { a -- b }", "a directed graph"),
        ("digraph { a } digraph { b }", "one graph"),
        (b"a", "as text, not as bytes"),
    ],
)
def test_what_is_not_a_graph_is_refused(dot, message):
    with pytest.raises(rms.RmsError, match=message):
        parse(dot)


def test_segments_that_wait_for_each_other_are_named():
    with pytest.raises(rms.CycleError, match="a → b → a|b → a → b"):
        parse("a -> b; b -> a; c -> a")


DOT_WORDS = [
    "a",
    "b",
    "C1",
    "_d",
    "node",
    '"my seg"',
    '"a -> b"',
    '"a//b"',
    '"->"',
    '""',
    "->",
    "->",
    ";",
    "\n",
    "é",
    "1",
    "[x=1]",
    "c:p",
]
AROUND = [
    "{}",
    "digraph {{{}}}",
    " digraph G {{\n{}}}\n",
    "digraph node {{{}}}",
    "graph {{{}}}",
    "strict digraph {{{}}}",
]


def read(text):
    try:
        return parse(text)
    except rms.RmsError as error:
        return type(error)


@given(st.lists(st.sampled_from(DOT_WORDS), max_size=8), st.sampled_from(AROUND), st.sampled_from(["", " "]))
def test_what_is_written_plainly_is_read_as_all_of_dot_is(words, around, between):
    text = around.format(between.join(words))
    assert read(text) == read(f"{text}\n/* A comment has the reader of all of DOT called. */")


def test_ancestors_come_in_order():
    assert parse("a -> b -> c; d -> c; c -> e; f").ancestors("e") == ["a", "d", "b", "c"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("quality == 'the Brave'", False),
        ("knights.startswith('L') and len(quality) > 2", True),
        ("(knights, quality[4:])", ("Lancelot", "Pure")),
        ("0", 0),
        ("n['k'] % 2 == 1 if n else None", True),
    ],
)
def test_expressions_say_what_python_would(text, value):
    assert Expression(text, ["knights", "quality", "n"], "melt")(
        {"knights": "Lancelot", "quality": "the Pure", "n": {"k": 3}}
    ) == value  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('id')", "open('x')", "knights.__class__", "(lambda: 1)()", "[k for k in knights]",
        "knights := 1", "f'{knights}'", "9 ** 9 ** 9", "1 << 99", "a =", "", "k; k", "len", "print(knights)", "knight",
        "getattr(knights, 'x')", "knights.format(knights)", "knights()()", "(" * 500, "x" * 2000, "a\0b",
    ],
)  # fmt: skip
def test_expressions_that_do_anything_else_are_refused(text):
    with pytest.raises(rms.RmsError, match="^melt: "):
        Expression(text, ["knights"], "melt")


def test_an_expression_that_fails_says_where():
    with pytest.raises(rms.RmsError, match=r"melt: 'knights \+ 1' cannot be evaluated where knights='Lancelot'"):
        Expression("knights + 1", ["knights"], "melt")({"knights": "Lancelot"})


@pytest.mark.parametrize(
    ("text", "multiplex"),
    [
        ("", Multiplex()),
        ("zip", Multiplex("zip")),
        ("union", Multiplex("union")),
        ("group_by", Multiplex(group_by="")),
        ('cross_prod group_by "0" where "a == 1"', Multiplex(where="a == 1", group_by="0")),
    ],
)
def test_multiplex_is_read(text, multiplex):
    assert Multiplex.parse(text, "melt") == multiplex
    assert Multiplex.in_comments(f"x = 1\n#multiplex zip\n  # multiplex {text}\n", "melt") == multiplex


@pytest.mark.parametrize("text", ["product", "where", "zip zip", 'where "a', "group_by a group_by b"])
def test_a_multiplex_that_is_none_is_refused(text):
    with pytest.raises(rms.RmsError, match="melt: .* is not a valid multiplex"):
        Multiplex.parse(text, "melt")


def items(values):
    return [SegmentOutput((number,), value) for number, value in enumerate(values)]


def values_of(element):
    def value(item):
        return [i.value for i in item] if isinstance(item, list) else item.value

    return {name: value(item) for name, item in element.items.items()}


outputs = st.lists(st.integers(0, 3), max_size=4)


@given(st.dictionaries(st.sampled_from("abc"), outputs, min_size=1), st.data())
def test_products_are_those_of_plain_python_in_whatever_order_outputs_come(parents, data):
    kind = data.draw(st.sampled_from(["cross_prod", "union", "zip"]))
    where = data.draw(st.sampled_from(["", f"{next(iter(parents))} != 1"]))
    group_by = data.draw(st.sampled_from([None, "", next(iter(parents)), f"{next(iter(parents))} == 2"]))
    products = Products("x", list(parents), Multiplex(kind, where, group_by))
    arrivals = data.draw(st.permutations([(n, [item]) for n, values in parents.items() for item in items(values)]))
    found = [element for name, new in arrivals for element in products.add(name, new)] + list(products.finish())

    plain = {
        "cross_prod": [dict(zip(parents, v, strict=True)) for v in itertools.product(*parents.values())],
        "union": [{name: value} for name, values in parents.items() for value in values],
        "zip": [dict(zip(parents, v, strict=True)) for v in zip(*parents.values(), strict=False)],
    }[kind]
    first = next(iter(parents))
    plain = [element for element in plain if not where or element.get(first) != 1]
    if group_by is not None:
        classes = {}
        for element in plain:
            key = {"": None, first: element.get(first)}.get(group_by, element.get(first) == 2)
            classes.setdefault(key, []).append(element)
        plain = []
        for own in classes.values():
            grouped = {n: [e[n] for e in own if n in e] for n in parents}
            grouped = {n: v for n, v in grouped.items() if v}
            plain.append({n: v[0] if n == group_by else v for n, v in grouped.items()})
    in_order = [values_of(element) for element in sorted(found, key=lambda element: element.rank)]
    assert in_order == plain


def tasks_of(graph, multiplex, pushed, next_one, count):
    """The tasks of a flow, where what ends next is chosen by `next_one`, and how many outputs there are by `count`."""
    growth = Growth(graph, multiplex, pushed)
    under_way, ended = growth.begin(), []
    while under_way:
        number = under_way.pop(next_one(len(under_way)))
        ended.append(number)
        made = values_of(growth.tasks[number].element)
        outputs = [f"{growth.tasks[number].segment}{sorted(made.items())}{n}" for n in range(count(str(made)))]
        under_way += growth.done(number, outputs, lambda value, place: value)
    assert all(map(growth.is_complete, graph.segments)) and len(set(ended)) == len(growth.tasks)
    return sorted((task.segment, str(values_of(task.element)), task.element.rank) for task in growth.tasks)


PAIRED = parse("a -> m; c -> m; m -> n; m -> z; a -> z; z -> t; c -> t; n -> t")


@given(st.sampled_from(["cross_prod", "union", "zip"]), st.sampled_from(["", "group_by"]), st.data())
def test_what_zip_pairs_does_not_depend_on_which_task_ends_first(kind, last, data):
    multiplex = {"m": Multiplex.parse(f"{kind} {last}", "m"), "z": Multiplex("zip"), "t": Multiplex("zip")}
    pushed = {name: list(range(data.draw(st.integers(0, 3)))) for name in "ac"}

    def count(made):
        return zlib.crc32(made.encode()) % 3

    in_order = tasks_of(PAIRED, multiplex, pushed, lambda many: 0, count)
    assert tasks_of(PAIRED, multiplex, pushed, lambda many: data.draw(st.integers(0, many - 1)), count) == in_order


def test_zip_begins_what_is_known_to_go_together():
    growth = Growth(parse("a -> b -> z; c -> z"), {"z": Multiplex("zip")}, {"a": [1, 2, 3], "c": [1, 2, 3]})

    def done(number):
        return [values_of(growth.tasks[n].element) for n in growth.done(number, [number], lambda value, place: value)]

    assert growth.begin() == [0, 1, 2, 3, 4, 5]
    assert done(3) == [] and done(0) == [{"a": 0}]
    assert done(6) == [{"b": 6, "c": 3}]  # Though 1 and 2 have not ended, from which more of b will come, later.
    assert done(2) == [{"a": 2}] and done(5) == [] and done(8) == []  # The second of b is not known.
    assert done(1) == [{"a": 1}] and done(4) == []
    assert done(9) == [{"b": 9, "c": 4}, {"b": 8, "c": 5}]


def test_an_unhashable_class_is_named():
    products = Products("melt", ["a"], Multiplex(group_by="a"))
    assert list(products.add("a", items([[1]]))) == []
    with pytest.raises(rms.RmsError, match=r"multiplex of melt: 'a' gives a list, which cannot be a class"):
        list(products.finish())


def test_a_script_says_what_it_asks_for(tmp_path):
    (tmp_path / "melt.py").write_text(
        "#multiplex cross_prod group_by 'knights'\n#depend table.txt json\n"
        "hook('pre', globals()); glob_parent('*.txt'); load_param('knights', globals(), '*'); glob_seg('quality', '*')\n"
        "get_data_fn('a'); get_data_fn('b', seg='squires')\n"
    )
    (tmp_path / "melt_pre.py").write_text("x = 1")
    (tmp_path / "melt_post.py").write_text("x = 1")
    (tmp_path / "table.txt").write_text("1")
    script = SegmentScript.read(tmp_path / "melt.py", "melt_a")
    assert script.multiplex == Multiplex(group_by="knights")
    assert list(script.hooks) == ["pre"] and list(script.depends) == ["table.txt", "json"]
    assert script.asks.parents and script.asks.above == {"knights", "squires"} and script.asks.whole == {"quality"}
    (tmp_path / "any.py").write_text("g = glob_seg\nfor s in 'ab': get_data_fn('x', s)\nhook(s)")
    script = SegmentScript.read(tmp_path / "any.py", "any")
    assert script.asks.above is None and script.asks.whole is None


def test_a_script_that_is_none_is_refused(tmp_path):
    (tmp_path / "melt.py").write_text("x = 1\nx = = 2")
    with pytest.raises(rms.RmsError, match=r"melt: melt.py is not valid Python in line 2: x = = 2"):
        SegmentScript.read(tmp_path / "melt.py", "melt")
    (tmp_path / "melt.py").write_text("#depend not/there.txt")
    with pytest.raises(rms.RmsError, match="melt: #depend names not/there.txt, which is not there"):
        SegmentScript.read(tmp_path / "melt.py", "melt")
