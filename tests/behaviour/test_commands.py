"""The verbs: each says by itself how it is typed, and help, lists, completion and the README are made from that."""

import re

import pytest

from rms_jupyter.commands.export import FORMATS
from rms_jupyter.commands.listing import Listing
from rms_jupyter.commands.table import verb_named, verbs
from rms_jupyter.errors import UsageError
from rms_jupyter.exports import export
from tests.readme import BEGIN, END, README, with_commands

LINES, CELLS = sorted(verbs("%rms")), sorted(verbs("%%rms"))
TYPED = [("%rms", name) for name in LINES] + [("%%rms", name) for name in CELLS]


@pytest.mark.parametrize("sign, name", TYPED)
def test_each_verb_says_how_it_is_typed(sign, name):
    parser = verb_named(name, sign).parser
    text = parser.help_text()
    typed = f"{sign} {name}".strip()
    assert text.startswith(f"usage: {typed}") and "{'prog'" not in text
    assert parser.summary.endswith(".") and parser.summary[0].isupper()
    for action in parser._actions:
        assert action.help, action.dest
        assert (action.option_strings or [action.metavar])[0] in text
    example = re.search(rf"^For example: {re.escape(typed)}(.*)$", text, re.MULTILINE)
    assert parser.read_line(example[1].strip(), {}), "its own example is understood"
    assert max(map(len, text.split("\n\n", 1)[1].splitlines())) <= 80


@pytest.mark.parametrize("sign, name", TYPED)
def test_a_line_that_does_not_fit_names_the_usage_line(sign, name):
    parser = verb_named(name, sign).parser
    line = "--as excel" if name == "sql" else "--bogus"
    with pytest.raises(UsageError, match=re.escape(f"{sign} {name}".strip())) as refused:
        parser.read_line(line, {})
    assert refused.value.hint.startswith(f"usage: {parser.prog}") and "prog" not in refused.value.hint


def test_a_mixed_line_that_lacks_something_names_what(kernel):
    ran = kernel.run("%rms diff a")
    assert "%rms diff: B is missing" in ran.error and "usage: %rms diff A B" in ran.error
    assert "usage: %%rms run [-j N]" in kernel.run("%%rms run --bogus\nx = 1").error


def test_help_runs_nothing_and_opens_nothing(kernel, tmp_path):
    for line in ("%rms lineage --help", "%rms why x -h", "%rms sql --help", "%rms run --help", "%rms --help"):
        ran = kernel.run(line)
        assert ran.ok and line.split()[1].replace("--help", "lineage") in ran.shown, line
    ran = kernel.run("%%rms run --help\nleft = 1")
    assert "usage: %%rms run [-j N]" in ran.shown and "NameError" in kernel.run("left").error
    assert "usage: %%rms pipe" in kernel.run("%%rms --help\ndef f(): pass").shown
    assert "usage: %%rms sql" in kernel.run("%%rms sql --help\nSELECT 1").shown
    kernel.run("%rms nothing"), kernel.run("%rms lineage --bogus"), kernel.run("%rms mark x"), kernel.run("%rms sql")
    assert not (tmp_path / ".rms").exists()


def test_help_of_one_way_is_found_by_the_other(kernel):
    assert "type %%rms run in the first line of a cell" in kernel.run("%rms run").error
    assert "type %rms lineage" in kernel.run("%%rms lineage\nx").error
    assert "did you mean %rms lineage?" in kernel.run("%rms linage x").error


def test_verbs_are_listed_by_what_one_wants_to_do(kernel):
    ran = kernel.run("%rms")
    [bundle] = ran.displays
    for text in (ran.result, kernel.value("get_ipython().object_inspect('%rms')['docstring']")):
        places = [text.index(intent) for intent in Listing().groups()]
        assert places == sorted(places)
        assert all(f"%rms {name} " in text for name in LINES)
    assert max(map(len, ran.result.splitlines())) <= 80
    assert all(f"<code>%rms {name}</code>" in bundle["text/html"] for name in LINES)
    assert all("<th colspan" in bundle["text/html"] and intent in bundle["text/html"] for intent in Listing().groups())


def test_each_verb_is_in_one_group():
    listed = [parser.prog for parsers in Listing().groups().values() for parser in parsers]
    assert len(listed) == len(set(listed)) == len(LINES) + len(CELLS) - 1, "sql is typed in both ways"


def test_completion_follows_the_parsers(kernel):
    kernel.run("%%rms\ndef align(i):\n    return i\naligned = align(1)\nopen('reads.fq', 'w').close()")
    for sign, name in TYPED:
        options = verb_named(name, sign).parser.options()
        if name != "sql":
            assert set(options) <= {*kernel.complete(f"{sign} {name} -".replace("  ", " ")), *([] if name else options)}
    assert set(kernel.complete("%rms export x --format ")) >= set(FORMATS)
    assert set(kernel.complete("%rms backup --only ")) >= {"key", "record"}
    assert kernel.complete("%rms gc --pipe al") == ["align"]
    assert kernel.complete("%%rms run --accept al") == ["align"]
    assert "reads.fq" in kernel.complete("%rms backup rea") and "aligned" not in kernel.complete("%rms backup al")
    assert "aligned" not in kernel.complete("%rms tasks al")
    assert set(kernel.complete("%rms f")) == {"files", "find", "figures"}


def test_what_can_be_exported_is_what_the_verb_says():
    assert FORMATS == export.FORMATS


def test_a_search_over_everything(kernel):
    kernel.run("open('chr1.fq', 'w').write('x')")
    kernel.run("%%rms\ndef align(path, k):\n    return open(path).read() * k\naligned = align('chr1.fq', 15)")
    found = kernel.run("%rms find align").result
    assert 'align("chr1.fq"' in found and "chr1.fq" in kernel.run("%rms find chr1").result
    assert kernel.run("%rms find nothing").result == "(none)"


def test_help_is_a_word_too(kernel):
    assert "%rms lineage" in kernel.run("%rms help").result
    assert "usage: %rms lineage" in kernel.run("%rms help lineage").text
    assert "did you mean %rms lineage?" in kernel.run("%rms help linage").error


def test_the_readme_lists_the_commands_as_their_parsers_do():
    text = README.read_text()
    assert text.count(BEGIN) == text.count(END) == 1
    assert with_commands(text) == text, "write them: make commands"


def test_a_beginner_who_has_run_nothing_is_told_how_to_begin(kernel):
    for line in ("%rms tasks", "%rms results", "%rms find x", "%rms runs", "%rms pipes"):
        assert "rms: nothing has run yet: write %%rms above a cell" in kernel.run(line).shown, line
    assert "write %%rms above a cell" in kernel.run("%rms why result").error
    kernel.run("%%rms\ndef load(path):\n    return path * 2\nresult = load('x')")
    assert "nothing has run yet" not in kernel.run("%rms find nothing").shown


def test_a_mistyped_name_or_option_is_answered_with_the_nearest(kernel):
    kernel.run("%%rms\ndef load(path):\n    return path * 2\nresult = load('x')")
    assert kernel.run("%rms lineage laod").error.count("did you mean load?") == 1
    assert "no pipe is called 'laod'\n→ did you mean load?" in kernel.run("%rms tasks --pipe laod").error
    assert "no pipe is called 'laod'" in kernel.run("%rms results --pipe laod").error
    error = kernel.run("%rms lineage load --upp").error
    assert "unrecognized arguments: --upp; did you mean --up?\n→ usage: %rms lineage" in error
    assert "[--tag T] [--note TEXT] WHAT..." in kernel.run("%rms mark result --tag").error, "all of the usage line"
    assert "SELECT..." in kernel.run("%rms sql").error and "is missing is missing" not in kernel.run("%rms sql").error
    assert "in quotes: --note 'wrong sample'" in kernel.run("%rms mark result --note this is good").error
    assert (
        "did you mean outputs?"
        in kernel.run("import rms_jupyter as rms\n@rms.pipe(output=['x'])\ndef f(x): pass").error
    )


def test_where_failures_of_earlier_runs_are_is_said(kernel):
    kernel.run("%%rms\ndef half(x):\n    return 1 / x")
    kernel.run("half(0)"), kernel.run("half(2)")
    assert "in earlier runs: %rms tasks --failed" in kernel.run("%rms logs --failed").shown
