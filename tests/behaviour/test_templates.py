"""Templates: the same calls predicted, put off and made; kept as text; cut out of a lineage."""

import dataclasses
import inspect
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import rms_jupyter as rms

LOADED = None  # What a pipe reads as a global.


@pytest.fixture
def pipes(s, tmp_path, monkeypatch):
    """Two steps over files, and one over values."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("a.txt", "one two"), ("b.txt", "three four five")):
        Path(name).write_text(text)

    @s.pipe(outputs=["upper"])
    def shout(text, upper):
        Path(upper).write_text(Path(text).read_text().upper())

    @s.pipe
    def count(text, times=1):
        return times * len(Path(text).read_text().split())

    return shout, count


def keyed(s):
    return sorted(s.sql("SELECT pipe, args, key FROM tasks").fetchall())


def louder(s, pipes):
    shout, count = pipes

    @s.template
    def louder(text, upper="out.txt", times: int = 2):
        """Shout, then count the words.

        More of it.
        """
        return count(shout(text, upper), times)

    return louder


def test_predicted_put_off_and_at_once_are_the_same_tasks(s, pipes):
    """K6: the prediction runs and writes nothing."""
    template = louder(s, pipes)
    predicted = template.simulate("a.txt").to_dict("records")
    assert [row["status"] for row in predicted] == ["run", "waits"] and not Path("out.txt").exists()
    assert [[Path(path).name for path in row["files"]] for row in predicted] == [["out.txt"], []]
    assert not keyed(s)
    deferred = template.defer("a.txt")
    assert len(deferred.plan) == 2 and not keyed(s) and "2 calls" in repr(deferred)
    assert deferred.run(n_jobs=1) == 4
    done = keyed(s)
    assert [pipe for pipe, *_ in done] == ["count", "shout"] and template("a.txt") == 4 and keyed(s) == done
    assert [row["status"] for row in template.simulate("a.txt").to_dict("records")] == ["hit", "hit"]


def nested(s, pipes):
    inner = louder(s, pipes)

    @s.template
    def both(texts=("a.txt", "b.txt")):
        return [inner(text, f"{text}.up", times=1) for text in texts]

    return both


def test_a_template_in_the_body_of_another_is_predicted_put_off_and_run_with_it(s, pipes):
    both = nested(s, pipes)
    assert [row["status"] for row in both.simulate().to_dict("records")] == ["run", "waits", "run", "waits"]
    assert len(both.defer().plan) == 4 and not keyed(s)
    assert both() == [2, 3] and len(keyed(s)) == 4


def test_a_template_called_while_calls_are_collected_joins_them(s, pipes):
    template = louder(s, pipes)
    with s.plan() as plan:
        counted = template("a.txt", times=1)
    assert len(plan) == 2 and not keyed(s)
    plan.run(n_jobs=1)
    assert rms.done([counted]) == [2]


def test_templates_that_a_template_calls_are_found_in_the_store(s, pipes):
    shout, count = pipes
    s.import_template("def inner(x): return count(x)")
    assert s.import_template("def outer(x):\n    return inner(x)")("a.txt") == 2


def test_a_condition_on_a_result_is_told_what_to_do(s, pipes):
    shout, count = pipes

    @s.template
    def conditional(text):
        return count(text) if count(text) > 1 else None

    with pytest.raises(rms.RmsError, match="not computed until the calls of the template have run\n→ let a pipe look"):
        conditional.simulate("a.txt")


def test_a_generator_is_no_template(s, pipes):
    with pytest.raises(rms.RmsError, match="several is a generator, not a template"):
        s.import_template("def several(text):\n    yield count(text)").defer("a.txt")


def test_a_template_is_kept_listed_and_read_again(s, pipes, reopen):
    template = louder(s, pipes)
    assert s.templates("shout words").rows() == [
        {
            "template": "louder",
            "signature": "louder(text, upper='out.txt', times: int=2)",
            "what it does": template.doc[:28],
        }
    ]
    assert not s.templates("nothing") and s.template("louder").doc == template.doc
    louder(s, pipes).simulate("a.txt")
    assert s.sql("SELECT name, count(*) FROM raw.templates GROUP BY name").fetchall() == [("louder", 1)]
    later = reopen(s)
    again = later.template("louder")
    assert str(again.signature) == str(inspect.signature(template)) and again.text == template.text
    with pytest.raises(rms.RmsError, match="needs count, which is not defined here|needs shout, which"):
        again("a.txt")
    later.close()


def test_the_last_one_of_a_name_counts(s, pipes):
    text = louder(s, pipes).text
    s.import_template(text.replace("times: int=2", "times: int=3"))
    assert s.template("louder")("a.txt") == 6 and len(s.templates()) == 1
    s.import_template(text)
    assert s.template("louder").text == text and s.sql("FROM raw.templates").fetchall()[0][1] == "louder"


def test_a_template_comes_along_with_what_is_pushed_and_backed_up(s, pipes, tmp_path):
    text = louder(s, pipes).text
    s.push(tmp_path / "shared")
    s.backup(tmp_path / "backup")
    with rms.open(tmp_path / "other" / "o.rms") as other:
        other.pull(tmp_path / "shared")
        assert [row["template"] for row in other.templates()] == ["louder"]
    rms.restore(tmp_path / "backup", tmp_path / "again" / "a.rms")
    with rms.open(tmp_path / "again" / "a.rms") as again:
        assert again.template("louder").text == text


def test_a_template_travels_as_text(s, pipes):
    text = louder(s, pipes).text
    taken = s.import_template(text.replace("louder", "louder_still"))
    assert taken("b.txt", upper="b_out.txt", times=1) == 3
    assert [row["template"] for row in s.templates().rows()] == ["louder", "louder_still"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:\n  pass", "line 1"),
        ("import os", "is not a template"),
        ("def f(): pass\nprint(1)", "is not a template"),
        ("async def f(): pass", "is not a template"),
        ("def f(x, x): pass", "is not a template: line 1: duplicate argument"),
        ("def f(): pass\0", "null bytes"),
        (3, "a template is text, not int"),
    ],
)
def test_text_that_is_no_template_is_refused(s, text, message):
    with pytest.raises(rms.RmsError, match=message):
        s.import_template(text)
    assert not s.templates()


@pytest.mark.parametrize(
    "text",
    [
        "def f(x=open('RAN', 'w')): pass",
        "def f(*, x=open('RAN', 'w')): pass",
        "@open('RAN', 'w')\ndef f(x): pass",
        "def f(x: open('RAN', 'w')) -> open('RAN', 'w'): pass",
    ],
)
def test_nothing_of_a_text_runs_when_it_is_taken_in_or_read(s, pipes, text):
    s.import_template(text)
    assert s.template("f").name == "f" and s.templates() and not Path("RAN").exists()


def test_annotations_and_defaults_that_are_not_known_here_do_not_keep_a_template_from_being_read(s, pipes):
    text = "def f(text: Nowhere='a.txt', times=TIMES) -> Nothing:\n    return count(text, times)\n"
    taken = s.import_template(text)
    assert str(taken.signature) == "(text: Nowhere = 'a.txt', times=TIMES) -> Nothing"
    assert taken.text == text
    with pytest.raises(rms.RmsError, match="the template f needs TIMES, which is not defined here"):
        taken()


@pytest.mark.parametrize("name", ["missing", "../escape", "a/b", ""])
def test_a_template_that_is_not_there(s, pipes, name):
    louder(s, pipes)
    with pytest.raises(rms.RmsError, match="there is no template") as refused:
        s.template(name)
    assert "there are: louder" in refused.value.hint


def test_wrong_arguments_name_the_signature(s, pipes):
    with pytest.raises(rms.RmsError, match="missing a required argument: 'text'") as refused:
        louder(s, pipes).simulate()
    assert "louder(text, upper" in refused.value.hint


def test_a_template_of_a_store_from_elsewhere_is_not_run(s, pipes, monkeypatch):
    louder(s, pipes)
    monkeypatch.setattr(type(s.store), "is_trusted", False)
    with pytest.raises(rms.UntrustedContent, match="code from elsewhere"):
        s.template("louder")
    assert s.templates().rows()[0]["template"] == "louder"


def test_one_is_cut_out_of_a_lineage(s, pipes):
    """K6: made from an existing result, it runs on other inputs."""
    shout, count = pipes
    made = count(shout("a.txt", "a_out.txt"), times=3)
    assert made == 6
    template = s.template_from(rms.current().tasks("count")[0], inputs=["a.txt"], name="counted")
    assert template.text == (
        "def counted(text, upper):\n"
        "    shout_result = shout(text=text, upper=upper)\n"
        "    count_result = count(text=shout_result, times=3)\n"
        "    return count_result\n"
    )
    assert template("b.txt", "b_out.txt") == 9 and Path("b_out.txt").read_text() == "THREE FOUR FIVE"
    predicted = template.simulate("b.txt", "b_out.txt").to_dict("records")
    assert [row["status"] for row in predicted] == ["hit", "hit"]


def test_values_within_lists_and_dicts_are_those_of_the_other_input(s):
    @s.pipe
    def load(n):
        return [n, n + 1]

    @s.pipe
    def join(parts, **more):
        return sum(map(sum, parts)) + sum(more["also"]["them"])

    first, second = load(1), load(10)
    joined = join([first, second], also={"them": first})
    template = s.template_from(rms.info(joined), inputs=[rms.info(first)])
    assert template([100, 100]) == 200 + 21 + 200
    other = load(1000)
    again = s.rerun(rms.info(joined), replace={rms.info(first): rms.info(other)})
    assert again.content == 2001 + 21 + 2001


@dataclasses.dataclass(frozen=True)
class Pair:
    one: object
    two: object = 0


class Held(NamedTuple):
    value: object


class Attribute:
    def __init__(self, value):
        self.value = value


@pytest.mark.parametrize(
    "held",
    [
        Pair,
        Held,
        lambda value: {"k": Pair(0, [value])},
        lambda value: [np.arange(3), Held(value)],
        lambda value: defaultdict(list, {"k": value, "j": [value]}),
        lambda value: [OrderedDict(k=value)],
    ],
)
def test_a_replaced_input_is_replaced_within_what_holds_it(s, held):
    @s.pipe
    def load(n):
        return [n, n + 1]

    @s.pipe
    def look(x):
        return repr(x) * 9

    first, other = load(1), load(2000)
    seen = look(held(first))
    again = s.rerun(rms.info(seen), replace={rms.info(first): rms.info(other)})
    assert again.content == repr(held([2000, 2001])) * 9


@pytest.mark.parametrize("held", [lambda text: {text, "k"}, lambda text: frozenset([("a", text), "k"])])
def test_a_replaced_input_is_replaced_within_a_set(s, held):
    @s.pipe
    def word(n):
        return f"a text that is long enough to be known again, {n}"

    @s.pipe
    def look(x):
        return repr(sorted(map(str, x))) * 9

    first, other = word(1), word(2)
    seen = look(held(first))
    again = s.rerun(rms.info(seen), replace={rms.info(first): rms.info(other)})
    assert again.content == repr(sorted(map(str, held(other)))) * 9


def test_a_replaced_file_is_replaced_within_what_names_it(s, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        Path(f"{name}.txt").write_text(f"{name} is here")

    @s.pipe
    def read(x):
        return Path(x.one).read_text() * 9

    seen = read(Pair("a.txt"))
    assert s.rerun(rms.info(seen), replace={"a.txt": "b.txt"}).content == "b is here" * 9


@pytest.mark.parametrize(
    ("held", "where"),
    [
        (Attribute, r"as x\.value"),
        (lambda value: [value[0]], r"as x\[0\]"),
        (lambda value: Pair(value[0]), r"as x\.one"),
    ],
)
def test_a_replaced_input_that_cannot_be_put_in_its_place_is_named_and_nothing_runs(s, held, where):
    @s.pipe
    def load(n):
        return [np.arange(n), n]

    @s.pipe
    def look(x):
        return f"seen {type(x).__name__}" * 9

    first, other = load(3), load(5)
    seen = look(held(first))
    before = len(s.tasks())
    for ask in (
        lambda: s.rerun(rms.info(seen), replace={rms.info(first): rms.info(other)}),
        lambda: s.template_from(rms.info(seen), inputs=[rms.info(first)]),
    ):
        with pytest.raises(rms.RmsError, match=rf"look\(.*\) got what is to be replaced {where}"):
            ask()
    assert len(s.tasks()) == before


def test_a_replaced_input_that_was_changed_or_is_read_as_a_global_is_named(s, monkeypatch):
    @s.pipe
    def load(n):
        return [n, n + 1]

    @s.pipe
    def look(x):
        return repr(x) * 9

    @s.pipe
    def look_behind(x):
        return repr(LOADED) * x

    first, other = load(1), load(2000)
    monkeypatch.setitem(globals(), "LOADED", first)
    behind = look_behind(9)
    with pytest.raises(rms.RmsError, match=r"reads what is to be replaced as the global LOADED"):
        s.rerun(rms.info(behind), replace={rms.info(first): rms.info(other)})
    loaded = rms.info(first)
    first.append(7)
    changed = look(first)
    with pytest.raises(rms.RmsError, match=r"got x as it was changed in the notebook"):
        s.rerun(rms.info(changed), replace={loaded: rms.info(other)})


def test_what_several_calls_share_is_made_once(s):
    load = s.register_pipe(lambda n: list(range(n)), name="load")
    part = s.register_pipe(lambda items, at: items[at], name="part")
    both = s.register_pipe(lambda parts, scale=1.5: scale * sum(parts), name="both")
    n = load(5)
    result = both([part(n, 1), part(n, at=4)])
    template = s.template_from(result, inputs=[n])
    assert template.name == "from_both" and str(template.signature) == "(items)"
    assert template([7, 7, 7, 7, 8]).content == 22.5
    assert {row["task"].split("(")[0] for row in template.simulate([0] * 5).to_dict("records")} == {"part", "both"}


def test_what_cannot_be_cut_out(s):
    load = s.register_pipe(lambda n: {n: object}, name="load")
    use = s.register_pipe(lambda held, extra: str(held), name="use")
    other = s.register_pipe(lambda n: n, name="other")
    held = load(1)
    result = use(held, 1 + 2j)
    with pytest.raises(rms.RmsError, match="not made from any"):
        s.template_from(result, inputs=[other(7)])
    assert s.template_from(result, inputs=[held]).text.count("1 + 2j") == 1
    for name in ("not a name", "class", "use"):
        with pytest.raises(rms.RmsError, match="cannot name a template"):
            s.template_from(result, inputs=[held], name=name)
    with pytest.raises(rms.RmsError, match="extra of use was given a Fraction"):
        from fractions import Fraction

        s.template_from(use(held, Fraction(1, 3)), inputs=[held])


def test_a_form_predicts_and_runs(kernel):
    kernel.run("%%rms\ndef double(x):\n    return 2 * x")
    kernel.run("import rms_jupyter as rms\n@rms.template\ndef twice(x=3, label='<b>'):\n    return double(double(x))")
    kernel.run(
        "form = twice.form(); fields = {f.description: f for f in form.children if getattr(f, 'description', '')}"
    )
    assert kernel.value("sorted(fields), fields['x'].value, fields['label'].value") == "(['label', 'x'], 3, '<b>')"
    kernel.run("fields['x'].value = 5; predict, run = form.children[-2].children\nrun.click()")
    assert "20" in kernel.value("form.children[-1].outputs")
    kernel.run("predict.click()")
    assert "hit" in kernel.value("form.children[-1].outputs")


@pytest.mark.parametrize(
    ("head", "filled", "shown"),
    [
        ("x, label='10'", {"x": "1"}, ["int 1", "str 10"]),
        ("x, label='a'", {"x": "1", "label": "20"}, ["int 1", "str 20"]),
        ("x: str, /, label=None", {"x": "01"}, ["str 01", "NoneType None"]),
        ("x=[1], *more, label=()", {}, ["list [1]", "tuple ()"]),
        ("x, *, label=print", {"x": "[2]"}, ["list [2]", "builtin_function_or_method"]),
        ("x, label=1", {}, ["x is empty"]),
        ("x, label=1", {"x": "{}[1]"}, ["str {}[1]", "int 1"]),
    ],
)
def test_a_form_gives_what_was_filled_in_and_else_the_defaults(kernel, head, filled, shown):
    kernel.run("%%rms\ndef see(x):\n    return f'{type(x).__name__} {x}'")
    kernel.run(
        f"import rms_jupyter as rms\n@rms.template\ndef t({head}):\n    return see(x), f'{{type(label).__name__}} {{label}}'"
    )
    kernel.run("form = t.form(); fields = {f.description: f for f in form.children if getattr(f, 'description', '')}")
    for name, value in filled.items():
        kernel.run(f"fields[{name!r}].value = {value!r}")
    kernel.run("form.children[-2].children[1].click()")
    found = kernel.value("form.children[-1].outputs")
    assert all(one in found for one in shown), found


def test_in_a_notebook(kernel):
    kernel.run("%%rms\ndef double(x):\n    return 2 * x")
    kernel.run(
        "import rms_jupyter as rms\n@rms.template\ndef twice(x=3):\n    'Double it twice.'\n    return double(double(x))"
    )
    assert "Double it twice." in kernel.run("%rms templates").shown
    assert kernel.value("twice(4)") == "16"
    ran = kernel.run("twice.simulate(y=1)")
    assert "unexpected keyword argument" in ran.error and "it takes twice(x=3)" in ran.error


# Flows in the body -----------------------------------------------------------------------------------------------------


@pytest.fixture
def melting(s):
    """A template whose body makes a flow, pushes what a pipe gives into it, and returns what it gives."""

    @s.pipe
    def names(text):
        return text.split()

    @s.pipe
    def split(text):
        return list(text)

    @s.pipe
    def loud(split):
        return split.upper()

    @s.pipe
    def count(loud):
        return len(loud)

    session = s

    @s.template
    def melting(text, more=()):
        read = names(text)
        flow = session.flow("split -> loud -> count", multiplex={"count": "group_by"}).push(split=["ab", *more])
        flow.run(n_jobs=2)
        return {"names": read, "loud": flow["loud"], "flow": flow}

    return melting


def tasks_of(rows):
    return sorted((row["task"], row["status"]) for row in rows.to_dict("records"))


def test_a_flow_in_the_body_is_predicted_put_off_and_run_with_the_other_calls(s, melting):
    predicted = melting.simulate("x y")
    assert tasks_of(predicted) == [
        ("count(…)", "waits"),
        ("loud(…)", "waits"),
        ('names("x y")', "run"),
        ('split("ab")', "run"),
    ]
    assert "as many as" in predicted["reason"].tolist()[-1] and not keyed(s)
    deferred = melting.defer("x y")
    assert not keyed(s)
    found = deferred.run(n_jobs=1)
    assert found["loud"] == ["A", "B"] and found["names"] == ["x", "y"] and found["flow"]["count"] == [2]
    done = keyed(s)
    assert [pipe for pipe, *_ in done] == ["count", "loud", "loud", "names", "split"]
    assert {status for _, status in tasks_of(melting.simulate("x y"))} == {"hit"}
    assert sorted(task.partition("(")[0] for task, _ in tasks_of(melting.simulate("x y"))) == [p for p, *_ in done]
    assert melting("x y")["flow"]["count"] == [2] and keyed(s) == done
    explained = melting.defer("x y", more=["c"])
    assert [status for _, status in tasks_of(explained.explain())].count("hit") == 4
    assert explained.run(n_jobs=1)["loud"] == ["A", "B", "C"], "looking ahead has changed nothing"


def test_what_a_flow_in_the_body_gives_is_returned_and_nothing_else(s, melting):
    count = s.pipe(lambda xs: len(xs), name="length")

    @s.template
    def taking(text):
        flow = s.flow("split").push(split=[text])
        flow.run()
        return count(flow["split"])

    with pytest.raises(rms.RmsError, match="what split gives is not known") as refused:
        taking("ab")
    assert "split -> NEXT" in refused.value.hint and "group_by" in refused.value.hint
    assert not s.tasks()


def test_one_flow_in_several_templates_answers_for_the_last_that_has_run(s, melting):
    flow = s.flow("split -> loud")

    @s.template
    def again(text):
        flow.push(split=[text]).run()
        return flow["loud"], flow

    first, second = again.defer("ab"), again.defer("cd")
    first.explain()
    assert first.run(n_jobs=1)[0] == ["A", "B"] and flow["loud"] == ["A", "B"]
    assert second.run(n_jobs=1)[0] == ["C", "D"] and flow["loud"] == ["C", "D"]


def test_a_failed_segment_of_a_flow_in_the_body_is_told(s, melting):
    @s.pipe
    def fail(split):
        raise ValueError(f"not {split}")

    @s.template
    def failing(text):
        flow = s.flow("split -> fail").push(split=[text])
        flow.run()
        return flow

    with pytest.raises(rms.PlanFailed) as failed:
        failing("ab")
    assert failed.value.report.counts["failed"] == 2 and "not a" in str(failed.value)


def test_a_rule_follows_a_template_with_a_flow_to_its_end(s, melting):
    Path("in").mkdir()
    Path("in/a.txt").write_text("x y")
    wide = s.pipe(lambda path: Path(path).read_text().split(), name="wide")
    stretched = s.pipe(lambda wide: wide * 3, name="stretched")

    @s.template
    def widening(path):
        flow = s.flow("wide -> stretched", segments={"wide": wide, "stretched": stretched}).push(wide=[path])
        flow.run()

    rule = s.rule("widen", files="in/{name}.txt", do=widening, data_complete=1, n_jobs=1).start()
    status = rule.join(60)
    assert [pipe for pipe, *_ in keyed(s)] == ["stretched", "stretched", "wide"]
    assert status.counts.done == 1 and status.phase == "done"
    assert [made.content for made in rule.results] == ["xxx", "yyy"]


def test_a_template_with_a_flow_in_its_body_says_how_it_is_run_beside_a_plan(s):
    @s.template
    def twice(n):
        return s.flow("many -> double", segments={"many": lambda: [1, 2], "double": lambda x: 2 * x}).run(n_jobs=1)

    told = r"cannot join other calls\n→ call it outside .*twice\.defer\(\.\.\.\)\.run"
    with pytest.raises(rms.RmsError, match=told), s.plan():
        twice(1)
