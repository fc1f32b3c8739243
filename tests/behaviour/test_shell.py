"""Commands as pipes: what they are given reaches them unchanged, and they run again when anything of them changes."""

import ast
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rms_jupyter as rms

NAP = f"97.{os.getpid()}"  # Told from those of tests beside this one.
ODD = [
    "it's",
    'a "quoted" one',
    "two\nlines",
    "späße ☃",
    "-x",
    "$HOME `id` $(id)",
    "a\\b",
    "*",
    " ",
    "end ",
    "~",
    "a;b",
]


def write(path, text):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    return str(path)


def counts(s):
    return dict(s.sql("SELECT status, count(*) FROM tasks GROUP BY ALL").fetchall())


# What a command is given ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", ODD)
def test_files_and_arguments_with_any_name_reach_it_as_they_are(s, odd):
    name = odd.replace("~", "~x")
    copy = s.shell("copy", '{ cat "$source"; printf %s "$word"; } > "$target"', inputs="source", outputs="target",
                   parameters="word")  # fmt: skip
    Path(name).write_text("here ")
    target = write(f"made/{name}", "")
    assert Path(copy(name, odd, target)).read_text() == f"here {odd}"
    assert copy(name, odd, target).task.hit or odd == "*", "it stands for all files there"
    assert s.sql("SELECT path FROM files WHERE path NOT LIKE '%/made/%'").fetchall() == [(os.path.abspath(name),)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=4),
    one=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
)
def test_any_text_reaches_it_as_it_is(s, words, one):
    say = s.shell(
        "say", r"""printf '%s\0' "$one" "${words[@]}" | od -An -v -tx1 | tr -d ' \n'""", parameters=["one", "words"]
    )
    assert bytes.fromhex(say(one, words)).decode() == "".join(
        f"{word}\0" for word in [one, *(words or [""])][: 1 + len(words)]
    )


def test_numbers_flags_and_lists(s):
    say = s.shell("say", 'echo "$k" "$rate" ${local:+--local} "[$none]" "${#several[@]}"',
                  parameters={"k": 15, "rate": 0.5, "local": True, "none": None, "several": [1, "two words"]})  # fmt: skip
    assert say() == "15 0.5 --local [] 2"
    assert say(local=False, several=[]) == "15 0.5 [] 0"
    numpy = pytest.importorskip("numpy")
    assert say(local=numpy.bool_(False), several=[numpy.int64(1)]) == "15 0.5 [] 1"
    with pytest.raises(rms.RmsError, match="k is a dict"):
        say(k={"a": 1})
    with pytest.raises(rms.RmsError, match="several holds a list"):
        say(several=[[1]])


@pytest.mark.parametrize("name", ["PATH", "a-b", "lambda", "größe", "2nd", "_", "BASH_ENV", "IFS"])
def test_names_that_bash_or_python_cannot_have_are_refused(s, name):
    with pytest.raises(rms.RegistrationError, match="not a valid name|means something to bash"):
        s.shell("say", "true", parameters=[name])
    with pytest.raises(rms.RegistrationError, match="twice"):
        s.shell("say", "true", inputs=["a"], outputs=["a"])


def test_too_much_text_and_a_nul_are_refused(s):
    say = s.shell("say", 'echo "$word"', parameters=["word"])
    with pytest.raises(rms.RmsError, match="more text than a command can take"):
        say("x" * 200_000)
    with pytest.raises(rms.RmsError, match="NUL"):
        say("a\0b")
    with pytest.raises(rms.RmsError, match="UTF-8"):
        say("\ud800")


@pytest.mark.parametrize(("text", "codes"), [(None, 0), (b"true", 0), ("\ud800", 0), ("true", "2"), ("true", None)])
def test_what_is_no_command_is_refused(s, text, codes):
    with pytest.raises(rms.RegistrationError, match="odd: "):
        s.shell("odd", text, exit_codes=codes)


def test_an_input_that_is_not_there_is_named(s):
    with pytest.raises(rms.RmsError, match=r"reads: there is no file nowhere\.fq"):
        s.shell("count", 'wc -l < "$reads"', inputs="reads")("nowhere.fq")


@pytest.mark.parametrize("path", ["", None])
def test_a_path_to_write_to_that_is_empty_is_named(s, path):
    with pytest.raises(rms.RmsError, match="out: the path that make is to write to is empty"):
        s.shell("make", 'echo > "$out"', outputs="out")(out=path)


# What it gives -------------------------------------------------------------------------------------------------------


def test_without_outputs_it_gives_what_it_says_and_shows_the_rest(s, capsys):
    count = s.shell("count", 'echo counting >&2; wc -l < "$reads"; echo', inputs="reads")
    reads = write("reads.txt", "a\nb\n")
    assert count(reads) == "2" and capsys.readouterr() == ("", "counting\n")
    assert count.lookup(reads).content == "2" and "counting" in str(s.logs("count"))


def test_with_outputs_it_shows_all_and_gives_its_files(s, capsys):
    split = s.shell("split", 'echo said; sort "$reads" > "$up"; sort -r "$reads" > "$down"', inputs="reads",
                    outputs={"up": "{stem}.up", "down": "sorted/{reads.stem}_{call}.down"})  # fmt: skip
    up, down = split(write("raw/x.txt", "b\na\n"))
    assert (Path(up).read_text(), Path(down).read_text()) == ("a\nb\n", "b\na\n")
    assert Path("x.up").samefile(up) and Path(down).parent.name == "sorted" and capsys.readouterr().out == "said\n"
    with pytest.raises(rms.RegistrationError, match="{other} in it, which is no argument"):
        s.shell("split", "true", outputs={"up": "{other}.up"})


def test_a_file_without_a_path_has_one_of_its_own_for_each_call_wherever_the_project_lies(s, tmp_path):
    head = s.shell("head", 'head -n "$n" "$reads" > "$top"', inputs="reads", parameters=["n"], outputs=["top"])
    reads = write("reads.txt", "a\nb\nc\n")
    one, two = head(reads, 1), head(reads, 2)
    assert one.path != two.path and Path(one).is_relative_to(tmp_path / "outputs/head")
    assert head(s.register_file(reads), 1).path == head("./reads.txt", 1).path == one.path
    assert head(reads, 1).task.hit


def test_a_folder_can_be_made_and_read(s):
    build = s.shell("build", 'mkdir -p "$index"; split -l 1 "$ref" "$index/part."', inputs="ref", outputs="index")
    index = build(write("ref.txt", "a\nb\n"))
    assert s.shell("look", 'cat "$index"/*', inputs="index")(index) == "a\nb"
    Path(index, "part.aa").write_text("other")
    with pytest.raises(rms.StaleInputError):
        s.shell("look", 'ls "$index"', inputs="index")(index)


def test_an_exit_code_fails_the_task_unless_it_is_allowed(s, capsys):
    """R19"""
    find = s.shell("find", 'grep "$what" "$text"', inputs="text", parameters="what")
    text = write("text.txt", "abc\n")
    with pytest.raises(rms.CommandFailed, match="find ended with exit code 1") as failed:
        find(text, "x")
    assert failed.value.code == 1 and "--ok 0 1" in failed.value.hint
    find = s.shell("find", 'grep "$what" "$text"', inputs="text", parameters="what", exit_codes=[0, 1])
    assert find(text, "x") == "" and "exit code 1, which is allowed" in capsys.readouterr().err
    broken = s.shell("broken", "echo half > \"$out\"; echo 'no room' >&2; exit 7", outputs={"out": "out.txt"})
    with pytest.raises(rms.CommandFailed, match="exit code 7: no room"):
        broken()
    assert not Path("out.txt").exists() and Path("out.txt.failed").exists()
    [(status, error)] = s.sql("SELECT status, error FROM tasks WHERE pipe = 'broken'").fetchall()
    assert status == "failed" and "exit code 7" in error and "no room" in str(s.logs("broken"))


def test_whatever_fails_in_a_pipe_of_several_programs_or_is_not_set_fails_it(s):
    with pytest.raises(rms.CommandFailed, match="exit code 3"):
        s.shell("first", "(echo a; exit 3) | sort")()
    with pytest.raises(rms.CommandFailed, match="nothing: unbound variable"):
        s.shell("unset", "echo $nothing")()
    with pytest.raises(rms.CommandFailed, match="exit code 127.*no-such-program"):
        s.shell("missing", "no-such-program")()
    with pytest.raises(rms.CommandFailed, match="141") as failed:
        s.shell("early", "seq 100000 | head -n 1")()
    assert "head" in failed.value.hint
    with pytest.raises(rms.ContractError, match="was not made"):
        s.shell("lazy", "true", outputs={"out": "out.txt"})()


# When it runs again --------------------------------------------------------------------------------------------------


def test_it_runs_again_when_its_text_a_file_a_program_or_a_variable_has_changed(s, monkeypatch, tmp_path):
    write("bin/measure", "#!/bin/sh\necho 1\n")
    os.chmod("bin/measure", 0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("LEVEL", "low")

    def call(text='measure; cat helper.txt "$reads"; echo $LEVEL'):
        result = rms.info(s.shell("call", text, inputs="reads")("reads.txt"))
        return "" if result.task.hit else str(result.task.reason)

    write("reads.txt", "a"), write("helper.txt", "b")
    call()
    assert call() == ""
    assert "command" in call('measure; cat helper.txt "$reads"; echo "$LEVEL"')
    write("reads.txt", "other")
    assert "reads" in call()
    write("helper.txt", "other")
    assert "helper.txt" in call()
    write("bin/measure", "#!/bin/sh\necho 2\n")
    assert "code_changed measure" in call()
    monkeypatch.setenv("LEVEL", "high")
    assert "LEVEL" in call() and call() == ""
    assert "exit codes" in str(rms.info(s.shell("call", 'measure; cat helper.txt "$reads"; echo $LEVEL', inputs="reads",
                                                exit_codes=[0, 1])("reads.txt")).task.reason)  # fmt: skip


def test_what_cannot_be_seen_or_draws_random_numbers_runs_each_time(s):
    touch = s.shell("touch", "name=$(echo beside); echo x >> $name.txt")
    dice = s.shell("dice", "echo $RANDOM $RANDOM $RANDOM")
    with pytest.warns(rms.RmsWarning, match="what it does is not seen"):
        touch()
    touch()
    assert Path("beside.txt").read_text() == "x\nx\n"
    with pytest.warns(rms.RmsWarning, match="RANDOM: it draws random numbers"):
        assert len({dice() for _ in range(5)}) > 1


def test_a_file_that_its_text_names_is_an_output_and_is_made_again(s):
    make = s.shell("make", 'sort "$reads" > sorted.txt', inputs="reads")
    reads = write("reads.txt", "b\na\n")
    make(reads)
    Path("sorted.txt").unlink()
    make(reads)
    assert Path("sorted.txt").read_text() == "a\nb\n"
    assert s.file_from_path("sorted.txt").task.pipe.name == "make"


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("# don't\ncat in/a.txt\n# can't", "in/a.txt"),
        ("cat <<END\nit's\nEND\ncat in/a.txt; echo \"it's\"", "in/a.txt"),
        ('echo "a \\" b"; cat in/a.txt; echo "c"', "in/a.txt"),
        ("cat in/*.txt", "in/new.txt"),
        ("cat in/?.txt", "in/a.txt"),
        ("cat *.txt", "new.txt"),
        ('for file in in/[ab].txt; do cat "$file"; done', "in/a.txt"),
        ("cat in/a\\ b.txt", "in/a b.txt"),
        ("cat ~/in/a.txt", "in/a.txt"),
        ('cat "${HOME}/in/a.txt"', "in/a.txt"),
        ("cat $PWD/in/*", "in/a.txt"),
        ('cat "in/run$k.txt"', "in/run1.txt"),
        ("for i in 1 2; do cat in/run$i.txt; done", "in/run2.txt"),
        ('echo "$(cat "in/a b.txt") it\'s"; cat in/*.txt', "in/b.txt"),
        ("grep -fin/a.txt in/run1.txt || true", "in/a.txt"),
        ("bash in/script.sh", "in/a.txt"),
        ("python3 in/script.py", "in/a.txt"),
        ("python3 in/script.py", "in/helper.py"),
        ("find . -name '*.txt'", "in/new.txt"),
        ("cd in; ls", "in/new.txt"),
    ],
)
def test_it_is_not_answered_when_a_file_has_changed_that_its_text_names_in_a_way_of_bash(s, text, changed, monkeypatch):
    monkeypatch.setenv("HOME", os.getcwd())
    for name in ("in/a.txt", "in/b.txt", "in/a b.txt", "in/run1.txt", "in/run2.txt", "a.txt"):
        write(name, "1\n")
    write("in/script.sh", "# it's one\ncat in/a.txt\n")
    write("in/script.py", "import helper\nprint(helper.x, open('in/a.txt').read())")
    write("in/helper.py", "x = 1")
    call = s.shell("call", text, parameters={"k": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rms.RmsWarning)
        before = [call(), call()]
        assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(2 if "find" in text or "ls" in text else 1,)]
        write(changed, "x = 22" if changed.endswith("py") else "22\n")
        assert before[0] == before[1] != call()


SCRIPTS = {
    "a.txt": "1\n",
    "b.txt": "1\n",
    "data/a.csv": "1\n",
    "names.txt": "a.txt\nb.txt\n",
    "settings.yaml": "reads: [a.txt]\n",
    "helper.py": "x = 1",
    "main.py": "import helper\nprint(helper.x)",
    "late.py": "import importlib\nprint(importlib.import_module('helper').x)",
    "package/__init__.py": "",
    "package/__main__.py": "from . import inner\nprint(inner.x)",
    "package/inner.py": "x = 1",
    "all.py": "import glob\nfor name in sorted(glob.glob('data/*.csv')): print(name, open(name).read())",
    "joined.py": "from pathlib import Path\nprint((Path('data') / 'a.csv').read_text())",
    "asked.py": "import os\nprint(os.path.exists('flag'), os.environ.get('LEVEL'))",
    "settled.py": "import sys\n[print(open(line[8:-2]).read()) for line in open(sys.argv[1])]",
    "tool": "#!/usr/bin/env python3\nimport helper\nprint(helper.x)",
    "shell": "cat a.txt; echo ${LEVEL:-none}",
    "step.pl": "use lib '.'; use Helper; open(F, 'a.txt'); print <F>, Helper::x();",
    "Helper.pm": "package Helper; sub x {1} 1;",
    "Makefile": "all:\n\t@cat a.txt",
}


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("python3 -m main", "helper.py"),
        ("python3 -m package", "package/inner.py"),
        ("python3 -c 'import helper; print(helper.x)'", "helper.py"),
        ("python3 <<END\nfrom helper import x\nprint(x)\nEND", "helper.py"),
        ("python3 late.py", "helper.py"),
        ("python3 all.py", "data/new.csv"),
        ("python3 all.py", "data/a.csv"),
        ("python3 joined.py", "data/a.csv"),
        ("python3 asked.py", "flag"),
        ("python3 asked.py", "$LEVEL"),
        ("python3 settled.py settings.yaml", "a.txt"),
        ("./tool", "helper.py"),
        ("bash shell", "a.txt"),
        (". ./shell", "$LEVEL"),
        ("perl step.pl", "a.txt"),
        ("perl step.pl", "Helper.pm"),
        ("make -s", "a.txt"),
        ("xargs cat < names.txt", "b.txt"),
        ("cat $(cat names.txt)", "b.txt"),
        ('while read name; do cat "$name"; done < names.txt', "a.txt"),
        ("cat {a,b}.txt", "b.txt"),
        ('for i in a b; do cat "$i.txt"; done', "a.txt"),
        ("i=a; cat ${i}.txt", "a.txt"),
        ("cat $(pwd)/a.txt", "a.txt"),
    ],
)
def test_it_is_not_answered_when_something_has_changed_that_a_script_or_a_list_of_names_names(
    s, text, changed, monkeypatch
):
    for name, content in SCRIPTS.items():
        write(name, content)
    os.chmod("tool", 0o755)
    monkeypatch.delenv("LEVEL", raising=False)
    call = s.shell("call", text)
    before = [call(), call()]
    assert counts(s) == {"done": 1}
    if changed == "$LEVEL":
        monkeypatch.setenv("LEVEL", "high")
    else:
        write(changed, {".py": "x = 22", ".pm": "package Helper; sub x {22} 1;"}.get(Path(changed).suffix, "22\n"))
    assert before[0] == before[1] != call()


@pytest.mark.parametrize("text", ["bash make.sh", "python3 make.py", "name=made; sort a.txt > $name.txt; echo done"])
def test_what_a_script_of_it_makes_is_an_output_and_is_made_again(s, text):
    write("a.txt", "b\na\n")
    write("make.sh", "sort a.txt > made.txt\necho done")
    write("make.py", "open('made.txt', 'w').writelines(sorted(open('a.txt')))\nprint('done')")
    make = s.shell("make", text)
    make()
    assert make.lookup() is not None
    Path("made.txt").unlink()
    assert make() == "done" and Path("made.txt").read_text() == "a\nb\n"
    assert s.file_from_path("made.txt").task.pipe.name == "make"


@pytest.mark.parametrize("text", ["openssl rand -hex 4", "mktemp -u", "stat -c %z a.txt", "cat /proc/self/stat"])
def test_it_runs_each_time_where_it_asks_for_what_nobody_sees_changing(s, text):
    write("a.txt", "")
    ask = s.shell("ask", text)
    with pytest.warns(rms.RmsWarning, match="ask runs each time"):
        ask()
    ask()
    assert len(s.sql("SELECT id FROM tasks").fetchall()) == 2


@pytest.mark.parametrize("text", ["pwd", "cat *.txt", "cat ./?.txt", 'cat "$k.txt"', "for i in a; do cat $i.txt; done"])
def test_it_is_not_answered_in_another_working_directory_where_it_may_find_other_files(s, text, monkeypatch, tmp_path):
    write("a.txt", "here"), write("other/a.txt", "there")
    call = s.shell("call", text, parameters={"k": "a"})
    before = call()
    monkeypatch.chdir("other")
    assert call() != before
    monkeypatch.chdir(tmp_path)
    assert call() == before and counts(s) == {"done": 2}


@pytest.mark.parametrize("text", ["shuf -i 1-1000000 -n 3", "head -c 9 /dev/urandom | od -An -tx1", "sort -R in.txt"])
def test_a_program_that_draws_random_numbers_runs_each_time(s, text):
    write("in.txt", "\n".join(map(str, range(1000))))
    draw = s.shell("draw", text)
    with pytest.warns(rms.RmsWarning, match="it draws random numbers"):
        assert draw() != draw()


def test_signs_that_are_no_patterns_for_files_look_for_none(s):
    call = s.shell(
        "call", "x=$((k*2)); case $x in *.txt) ;; esac; echo '*' \"*\" $x; cat <<E\n*.txt\nE", parameters=["k"]
    )
    call(3)
    write("new.txt", "")
    assert call.lookup(3).content == "* * 6\n*.txt"


def test_variables_of_the_environment_are_on_record_only_where_they_are_listed(s, monkeypatch):
    monkeypatch.setenv("TOKEN", "hunter2-token")
    monkeypatch.setenv("THREADS", "4")
    use = s.shell("use", 'test -n "$TOKEN"; echo "$THREADS"', parameters=["password"], variables=["THREADS"],
                  secret="password")  # fmt: skip
    assert use("hunter2-password") == "4"
    shown = dict(s.sql("SELECT name, value FROM params").fetchall())
    assert shown["env:THREADS"] == "4" and shown["env:TOKEN"].startswith("***") and shown["password"] == "***"
    path = s.path
    s.close()
    held = b"".join(file.read_bytes() for file in path.rglob("*") if file.is_file())
    assert b"hunter2" not in held and b'"4"' in held


def test_it_is_not_answered_where_another_function_calls_it_in_another_version(s):
    namespace = {"rms": rms, "__name__": "__main__"}

    def define(text):
        namespace["inner"] = s.shell("inner", text)
        exec("def outer(x):\n    return inner() + x", namespace)
        return s.pipe(namespace["outer"])

    assert define("echo a")("!") == "a!" and rms.info(define("echo a")("!")).task.hit
    assert define("echo b")("!") == "b!"


# Where it runs -------------------------------------------------------------------------------------------------------


def test_commands_run_in_plans_and_wait_for_the_files_that_others_make(s, how):
    trim = s.shell("trim", 'tr -d x < "$reads" > "$clean"; echo trimmed', inputs="reads", outputs="clean")
    count = s.shell("count", 'wc -c < "$clean"', inputs="clean")
    merge = s.shell("merge", 'cat "${parts[@]}" > "$whole"', inputs="parts", outputs={"whole": "whole.txt"})
    files = [write(f"raw {i}.txt", "x" * i + "a") for i in range(3)]
    with s.plan() as plan:
        cleaned = [trim(file) for file in files]
        sizes = [count(clean) for clean in cleaned]
        whole = merge(cleaned)
    assert plan.run(**how).counts == {"done": 7}
    assert [rms.value(size) for size in sizes] == ["1", "1", "1"] and Path(whole.content).read_text() == "aaa"
    assert trim(files[0]).task.hit and merge([trim(file) for file in files]).task.hit
    assert "trimmed" in str(s.logs("trim"))


def test_a_timeout_ends_it_with_all_that_it_has_started(s, how):
    text = f'sleep {NAP} & echo $! > "$pid"; sleep {NAP}'
    slow = s.shell("slow", text, outputs={"pid": "pid.txt"}, timeout=1)
    with s.plan() as plan:
        slow()
    with pytest.raises(rms.PlanFailed, match="timeout"):
        plan.run(**how)
    assert counts(s) == {"timed_out": 1} and not sleeping()


def test_a_timeout_ends_a_call_too(s):
    slow = s.shell("slow", f"echo begun; sleep {NAP} & sleep {NAP}", timeout=0.5)
    with pytest.raises(rms.TaskFailed, match=r"slow took longer than its timeout of 0.5 s"):
        slow()
    assert counts(s) == {"timed_out": 1} and not sleeping()


def interrupt_when(kernel, holds):
    until = time.monotonic() + 60
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(os.getpgid(kernel.pid), signal.SIGINT)  # As Jupyter does.


def sleeping():
    return [p.pid for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", NAP]]


def test_an_interrupt_ends_it_with_all_that_it_has_started(kernel, where):
    kernel.run(
        "import rms_jupyter as rms\n"
        f"nap = rms.current().shell('nap', 'echo begun >&2; (sleep {NAP} & sleep {NAP})', parameters=['i'])"
    )
    together = f"%%rms run -j 2 --on {where}\nx = [nap(1), nap(2)]"
    for cell, count in ((together, 2 if where == "serial" else 4), ("nap(3)", 2)):
        thread = threading.Thread(target=interrupt_when, args=(kernel, lambda count=count: len(sleeping()) == count))
        thread.start()
        ran = kernel.run(cell)
        thread.join()
        assert not ran.ok and "KeyboardInterrupt" in ran.error, ran.error
        until = time.monotonic() + 5
        while sleeping() and time.monotonic() < until:
            time.sleep(0.05)
        assert not sleeping()


def test_what_it_says_is_seen_while_it_runs(kernel):
    kernel.run("import rms_jupyter as rms\ns = rms.current()")
    kernel.run("""talk = s.shell("talk", 'echo begun; while [ ! -e go ]; do sleep 0.05; done; echo ended > "$out"',
                  outputs={"out": "out.txt"})""")
    seen = []

    def look():
        until = time.monotonic() + 30
        while not seen and time.monotonic() < until:
            seen.extend(
                file for file in (kernel._folder / ".rms/running").glob("*.log") if b"begun" in file.read_bytes()
            )
            time.sleep(0.05)
        (kernel._folder / "go").touch()

    thread = threading.Thread(target=look)
    thread.start()
    ran = kernel.run("talk()")
    thread.join()
    assert ran.ok and seen and "begun" in ran.text, ran.error


def test_a_rule_runs_a_command_for_each_file(s):
    count = s.shell("count", 'wc -c < "$reads" > "$size"', inputs="reads", outputs={"size": "{stem}.size"})
    write("in/a.txt", "aa"), write("in/b.txt", "bbb")
    s.rule("sizes", files="in/{name}.txt", do=count, settle=0.1, retries=1, data_complete=True).start().join(60)
    assert [Path(f"{name}.size").read_text().strip() for name in "ab"] == ["2", "3"]


# Written down --------------------------------------------------------------------------------------------------------


def test_an_exported_script_runs_it_without_this_package(s, tmp_path):
    trim = s.shell("trim", 'tr -d x < "$reads" > "$clean"', inputs="reads", outputs="clean")
    count = s.shell("count", 'wc -c "${parts[@]}" | tail -n 1; echo "$word" "$HOME"', inputs="parts", parameters="word")
    files = [write(name, "xxa\n") for name in ("a b.txt", "it's.txt")]
    said = count([trim(file) for file in files], "don't\n☃")
    script = tmp_path / "again.py"
    s.export(rms.info(count([trim(file) for file in files], "don't\n☃")), "script", script)
    text = script.read_text()
    assert "rms_jupyter" not in text.split("\n", 1)[1]
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.rstrip("\n") == said and ast.parse(text)


def test_an_exported_script_makes_a_folder_of_ours_again(s, tmp_path):
    build = s.shell("build", 'mkdir "$index"; cp "$ref" "$index"; ln -s "$PWD/$ref" "$link"', inputs="ref",
                    outputs=["index", "link"])  # fmt: skip
    index, _ = build(write("ref.txt", "a"))
    s.export(index, "script", tmp_path / "again.py")
    ran = subprocess.run([sys.executable, tmp_path / "again.py"], capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0 and Path(index, "ref.txt").read_text() == "a", ran.stderr


# In a cell, and in a terminal ----------------------------------------------------------------------------------------


def test_a_cell_defines_a_command_or_runs_it_and_binds_what_it_makes(kernel, tmp_path):
    write(tmp_path / "a b.txt", "xb\nxa\n")
    kernel.run("%rms open")
    ran = kernel.run('%%rms bash trim -i reads -o clean -p drop=x\ntr -d "$drop" < "$reads" > "$clean"\necho done')
    assert ran.ok and not ran.shown.strip(), ran.error
    ran = kernel.run("made = trim('a b.txt')\nprint(open(made).read())")
    assert ran.ok and ran.text.startswith("done\nb\na\n") and "trim ran" in ran.shown
    kernel.run("n = 1\nfile = made")
    cell = '%%rms bash top -i reads={file} -p n={n} -o first=top_{n}.txt\nsort "$reads" | sed "${n}q" > "$first"'
    assert kernel.run(cell).ok and "top hit" in kernel.run(cell).shown
    assert kernel.value("first.path, open(first).read(), first.task.pipe.name") == repr(
        (str(tmp_path / "top_1.txt"), "a\n", "top")
    )
    upstream = "SELECT pipe FROM ancestors($first) WHERE pipe IS NOT NULL ORDER BY depth"
    assert "trim" in kernel.run(f"%rms sql --as duckdb {upstream}".replace("$first", kernel.value("first.id"))).shown
    ran = kernel.run("%%rms bash count -i 'reads=a b.txt'\nwc -l < \"$reads\"")
    assert ran.ok and ran.text.startswith("2\n")
    kernel.run("n = 2")
    assert kernel.run(cell).ok and kernel.value("first.path") == repr(str(tmp_path / "top_2.txt"))


def test_a_cell_that_fails_says_so_in_short(kernel):
    ran = kernel.run("%%rms bash broken\necho 'no room' >&2; exit 3")
    assert not ran.ok and "CommandFailed: broken ended with exit code 3: no room" in ran.error
    assert "Traceback" not in ran.error and "no room" in ran.text
    assert "no room" in kernel.run("%rms logs broken").shown
    ran = kernel.run("%%rms bash broken --ok 0 3\necho 'no room' >&2; exit 3")
    assert ran.ok and "which is allowed" in ran.text
    assert "the command is missing" in kernel.run("%%rms bash nothing\n \n").error
    assert "there is no variable nix" in kernel.run("%%rms bash say -p x={nix}.txt\necho $x").error
    assert "nix} in it, which is no argument" in kernel.run("%%rms bash say -o x={call}{nix:}.txt\necho $x").error
    ran = kernel.run("%%rms bash --help\n ")
    assert "usage: %%rms bash" in ran.text and "NAME[=PATH]" in ran.text
    assert {"--ok", "--input"} <= set(kernel.complete("%%rms bash say --")) and "bash" in kernel.complete("%%rms ba")


def test_a_command_in_a_terminal(tmp_path):
    rms.open(tmp_path / ".rms").close()
    write("a b.txt", "b\na\n")

    def run(*words, text=""):
        words = [sys.executable, "-m", "rms_jupyter", "bash", *words]
        return subprocess.run(words, input=text, capture_output=True, text=True, timeout=60)

    ran = run("order", "-i", "reads=a b.txt", "-o", "sorted={stem}.sorted", text='sort "$reads" > "$sorted"; echo ok')
    assert ran.returncode == 0 and ran.stdout == f"ok\n{tmp_path}/a b.sorted\n", ran.stderr
    assert run("count", "-i", "reads=a b.txt", "-c", 'wc -l < "$reads"').stdout == "2\n"
    ran = run("count", "-i", "reads", "-c", 'wc -l < "$reads"')
    assert ran.returncode == 1 and "not all has a value" in ran.stderr
    ran = run("broken", "-c", "exit 4")
    assert ran.returncode == 1 and "broken ended with exit code 4" in ran.stderr


def test_what_it_leaves_running_is_begun_each_time(s):
    serve = s.shell("serve", f"sleep {NAP} > /dev/null 2>&1 & echo begun")
    try:
        with pytest.warns(rms.RmsWarning, match="serve runs each time.*it leaves a program running"):
            assert serve() == "begun"
        assert serve() == "begun" and len(sleeping()) == 2
    finally:
        [os.kill(pid, signal.SIGKILL) for pid in sleeping()]


# Environments --------------------------------------------------------------------------------------------------------


def program(path, text):
    os.chmod(write(path, f"#!/bin/sh\n{text}\n"), 0o755)


def test_an_environment_of_conda_is_activated_and_its_packages_are_part_of_the_version(s, monkeypatch, tmp_path):
    root = tmp_path / "micro mamba"
    monkeypatch.setenv("MAMBA_ROOT_PREFIX", str(root))
    prefix = root / "envs/align"
    program(prefix / "bin/measure", 'echo "$SETTING in $CONDA_DEFAULT_ENV"')
    write(prefix / "etc/conda/activate.d/setting.sh", 'false; export SETTING="set $not_there"')
    write(prefix / "conda-meta/samtools-1.20-h50ea8bc_0.json", "{}")

    def call():
        made = s.shell("measure", "measure", env="align")
        hit, said = made.lookup(), made()
        assert said == "set  in align"
        return "" if hit else str(made.lookup().task.reason)

    assert call() == "never_run" and call() == ""
    os.rename(prefix / "conda-meta/samtools-1.20-h50ea8bc_0.json", prefix / "conda-meta/samtools-1.21-h50ea8bc_0.json")
    why = str(s.why(s.pipes["measure"]))
    assert "code_changed environment" in call() and call() == ""
    assert "-samtools 1.20 h50ea8bc_0" in why and "+samtools 1.21 h50ea8bc_0" in why
    with pytest.raises(rms.RegistrationError, match="no environment algin") as refused:
        s.shell("measure", "measure", env="algin")
    assert "align" in refused.value.hint


def test_a_venv_is_activated_also_in_workers_and_in_processes_of_their_own(s, how, monkeypatch):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "tools"], check=True)
    [site] = Path("tools/lib").glob("python3*/site-packages")
    write(site / "measuring.py", "version = 1")
    write(site / "measuring-1.0.dist-info/METADATA", "Name: measuring\nVersion: 1.0\n")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    text = (
        """python -c 'import sys, os, measuring; print(measuring.version, sys.prefix, os.environ.get("PYTHONPATH"))'"""
    )
    inside = s.shell("inside", text, env="tools")
    alone = s.shell("alone", text, env="tools", isolate=True)
    outside = s.shell("outside", 'echo "$PYTHONPATH"', isolate=True)
    with s.plan() as plan:
        said = [inside(), alone(), outside()]
    plan.run(**how)
    where = os.path.abspath("tools")
    assert [rms.value(one) for one in said] == [f"1 {where} None", f"1 {where} None", "elsewhere"]
    os.rename(site / "measuring-1.0.dist-info", site / "measuring-1.1.dist-info")
    assert s.shell("inside", text, env="tools").lookup() is None
    script = Path("again.py")
    s.export(said[0], "script", script)
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert ran.stdout == f"1 {where} None\n", ran.stderr


# Files that it does not declare --------------------------------------------------------------------------------------


def test_what_stands_beside_an_argument_is_read_and_made_with_it(s):
    index = s.shell("index", 'wc -c < "$genome" > "$genome.size"', inputs="genome")
    look = s.shell("look", 'cat "$genome.size"', inputs="genome")
    genome = write("genome.fa", "ACGT")
    index(genome)
    assert look(genome) == "4"
    Path("genome.fa.size").unlink()
    index(genome)
    assert look.lookup(genome).content == "4" and s.file_from_path("genome.fa.size").task.pipe.name == "index"
    write("genome.fa.size", "5")
    assert look(genome) == "5"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("echo x >> beside.txt", "x\nx\n"),
        ("name=beside; echo x >> $name.txt", "x\nx\n"),
        ("echo a > beside.txt; echo b | tee -a beside.txt >> log.txt", "a\nb\n"),
        ("rm -f beside.txt; for i in 1 2; do echo $i >> beside.txt; done", "1\n2\n"),
    ],
)
def test_what_it_adds_to_a_file_that_is_new_is_there_as_often_as_plainly(s, text, after):
    add = s.shell("add", text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rms.RmsWarning)
        add(), add()
    assert Path("beside.txt").read_text() == after


def test_what_an_earlier_run_has_left_in_a_folder_of_ours_is_removed(s):
    parts = s.shell("parts", 'mkdir -p "$out"; touch "$out/old"', inputs="reads", outputs="out")
    reads = write("reads.txt", "a")
    parts(reads)
    parts = s.shell("parts", 'mkdir -p "$out"; touch "$out/new"', inputs="reads", outputs="out")
    assert os.listdir(parts(reads)) == ["new"]
    kept = s.shell("kept", 'mkdir -p "$out"; echo x > "$out/new"', outputs={"out": "results"})
    write("results/mine.txt", "mine")
    assert sorted(os.listdir(kept())) == ["mine.txt", "new"]


def test_a_command_that_adds_to_its_output_runs_each_time_as_it_would_plainly(s):
    add = s.shell("add", 'echo "$word" >> "$log"', parameters="word", outputs={"log": "log.txt"})
    write("log.txt", "before\n")
    with pytest.warns(rms.RmsWarning, match=r"it adds to log\.txt"):
        add("x")
    add("x")
    assert Path("log.txt").read_text() == "before\nx\nx\n"


def test_it_ends_with_a_kernel_that_is_killed(tmp_path):
    code = f"""if True:
        import rms_jupyter as rms
        rms.open("killed.rms").shell("nap", "sleep {NAP} & sleep {NAP}")()
    """
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while len(sleeping()) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    process.kill()
    process.wait()
    until = time.monotonic() + 10
    while sleeping() and time.monotonic() < until:
        time.sleep(0.05)
    assert not sleeping()


def test_a_cell_of_bash_says_how_it_stands(front_end, kernel, tmp_path):
    write(tmp_path / "reads.txt", "b\na\n")
    code = '%%rms bash order -i reads=reads.txt -o out=out.txt\nsort "$reads" > "$out"'
    assert kernel.run(code, cell="c1").ok

    def standing(code):
        answer = front_end.ask({"ask": "cells", "cells": [{"id": "c1", "code": code}]})["cells"]["c1"]
        return answer["state"], answer["why"]

    assert standing(code) == ("current", "") and standing(code.replace("sort", "sort -r")) == ("stale", "edited")
    write(tmp_path / "reads.txt", "c\n")
    assert standing(code) == ("stale", "order: input_changed reads.txt")
