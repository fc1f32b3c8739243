"""Flows: graphs of segments, each run once for each of its inputs; what changes runs, and what follows from it."""

import os
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pytest

import rms_jupyter as rms


def knights():
    return ["Lancelot", "Galahad"]


def quality():
    return ["the Brave", "the Pure"]


def melt(knights, quality):
    return f"{knights} {quality}"


MELT = "knights -> melt; quality -> melt"


def counts(report):
    return {state: count for state, count in report.counts.items() if count}


@pytest.fixture
def write(tmp_path):
    """Write scripts of segments, as an editor does."""

    def write(**scripts):
        folder = tmp_path / "code"
        folder.mkdir(exist_ok=True)
        for name, text in scripts.items():
            (folder / f"{name}.py").write_text(textwrap.dedent(text))
        return folder

    return write


# W1: products, and one knight more -----------------------------------------------------------------------------------


def test_four_tasks_of_two_knights_and_two_qualities_and_two_more_of_one_more_knight(s, how):
    found = {"knights": lambda: ["Lancelot", "Galahad"]}
    flow = s.flow(MELT, segments=found)
    assert counts(flow.run(**how)) == {"done": 6}
    assert flow["melt"] == ["Lancelot the Brave", "Lancelot the Pure", "Galahad the Brave", "Galahad the Pure"]
    assert counts(flow.run(**how)) == {"hit": 6}
    found["knights"] = lambda: ["Lancelot", "Bors", "Galahad"]
    assert counts(s.flow(MELT, segments=found).run(**how)) == {"done": 3, "hit": 5}


def test_each_task_comes_from_the_items_it_got(s):
    flow = s.flow(MELT)
    flow.run(n_jobs=1)
    [task] = [task for task in s.tasks(pipe="melt") if "Galahad" in task.call and "Pure" in task.call]
    assert {t.pipe for t in s.lineage(task, down=False).tasks} == {"melt", "knights", "quality"}
    roles = s.sql("SELECT role FROM edges WHERE dst = ? ORDER BY role", [task.id]).fetchall()
    assert roles == [("knights",), ("quality",)]


def test_a_pipe_that_was_called_before_is_a_hit_in_a_flow_and_the_other_way_round(s):
    melt_ = s.pipe(melt)
    melt_("Lancelot", "the Brave")
    flow = s.flow(MELT, segments={"melt": melt_})
    assert counts(flow.run(n_jobs=1)) == {"done": 5, "hit": 1}
    assert melt_.lookup("Galahad", "the Pure") is not None


def test_a_task_begins_when_its_own_inputs_are_there(s, tmp_path):
    def slow(pushed):
        if pushed:  # Waits for what follows from the other one.
            for _ in range(500):
                if (tmp_path / "seen").exists():
                    break
                __import__("time").sleep(0.02)
            else:
                raise TimeoutError
        return pushed

    def after(slow):
        if not slow:
            (tmp_path / "seen").touch()
        return slow

    flow = s.flow("slow -> after").push(slow=[0, 1])
    assert counts(flow.run(executor="threads")) == {"done": 4}


def test_a_failed_item_leaves_the_others(s, how):
    def first(pushed):
        return pushed

    def second(first):
        if first == 2:
            raise ValueError("not this one")
        return first * 10

    def third(second):
        return second + 1

    def all_of_them(second):
        return sum(second)

    graph = "first -> second -> third; second -> all_of_them"
    flow = s.flow(graph, multiplex={"all_of_them": "group_by"}).push(first=[1, 2, 3])
    with pytest.raises(rms.PlanFailed, match=r"second\(first\(2\)\) failed: ValueError: not this one"):
        flow.run(**how)
    assert flow["third"] == [11, 31]
    assert flow.counts["second"] == {"done": 2, "failed": 1} and flow.counts["all_of_them"] == {}
    assert flow.problems == ["all_of_them did not run: it needs all of second; second: 2 done, 1 failed"]


def test_inputs_reach_functions_by_the_names_of_parents_or_the_only_one_by_the_first_parameter(s):
    def image(pushed):
        return {"number": pushed}

    def blur(img, sigma=2):
        return img["number"] * sigma

    def both(x, y):
        return x - y

    def everything(**inputs):
        return sorted(inputs)

    graph = "image -> blur -> everything; image -> everything; both"
    flow = s.flow(graph).push(image=[3]).push({"both": [(5, 2), {"x": 1, "y": 2}]})
    flow.run(n_jobs=1)
    assert flow["blur"] == [6] and flow["everything"] == ["blur", "image"] and flow["both"] == [3, -1]


def test_files_that_a_pipe_declares_are_its_outputs(s):
    @s.pipe(outputs="{pushed}.txt")
    def write(pushed):
        Path(f"{pushed}.txt").write_text(str(pushed))

    def read(write):
        return Path(write).read_text()

    flow = s.flow("write -> read").push(write=[1, 2])
    flow.run(n_jobs=1)
    assert flow["read"] == ["1", "2"]
    Path("1.txt").unlink()
    assert counts(flow.run(n_jobs=1)) == {"done": 1, "hit": 3}


def test_a_value_that_is_not_kept_is_made_once_for_those_that_need_it(s, how, tmp_path):
    folder = str(tmp_path / "loads")
    os.mkdir(folder)

    @s.pipe(volatile=True, ignore="folder")
    def load(pushed, folder=folder):
        tempfile.mkdtemp(prefix=str(pushed), dir=folder)
        return {"n": pushed}

    def use(load):
        return load["n"] + 1

    flow = s.flow("load -> use; load -> again", segments={"again": lambda load: -load["n"]}).push(load=[1, 2])
    flow.run(**how)
    assert sorted(name[0] for name in os.listdir(folder)) == ["1", "2"]
    assert flow["use"] == [2, 3] and flow["again"] == [-1, -2]


def test_a_call_that_cannot_be_made_fails_and_the_rest_goes_on(s):
    def two(x, y):
        return x + y

    def other(pushed):
        return pushed

    flow = s.flow("two; other").push(two=[(1, 2), (1, 2, 3)], other=[1])
    with pytest.raises(rms.PlanFailed, match="takes 2 positional arguments but 3 were given"):
        flow.run(n_jobs=1)
    assert flow["two"] == [3] and flow["other"] == [1]


def test_a_segment_may_ask_for_further_calls(s):
    @s.pipe
    def half(n):
        return n // 2

    @s.pipe
    def ask(pushed):
        return half.later(pushed)

    flow = s.flow("ask -> next", segments={"ask": ask, "next": lambda ask: ask + 1}).push(ask=[10, 20])
    flow.run(n_jobs=1)
    assert flow["next"] == [6, 11]


def test_lists_of_any_objects_and_groups_of_them_travel_to_workers(s):
    def arrays():
        return [np.arange(3), {"a": np.ones(2)}, None, b"x"]

    def size(arrays):
        return len(repr(arrays))

    def together(arrays):
        return [type(one).__name__ for one in arrays]

    flow = s.flow("arrays -> size; arrays -> together", multiplex={"together": "group_by"})
    assert counts(flow.run(n_jobs=2)) == {"done": 6}
    assert flow["size"] == [16, 22, 4, 4] and flow["together"] == ["ndarray", "dict", "NoneType", "bytes"]
    assert counts(flow.run(n_jobs=1)) == {"hit": 6}


# W2: multiplex -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("multiplex", "outputs"),
    [
        ("cross_prod where \"quality == 'the Brave'\"", ["Lancelot the Brave", "Galahad the Brave"]),
        ("zip", ["Lancelot the Brave", "Galahad the Pure"]),
        ("union", ["Lancelot None", "Galahad None", "None the Brave", "None the Pure"]),
        ("group_by knights", ["Lancelot ['the Brave', 'the Pure']", "Galahad ['the Brave', 'the Pure']"]),
        ("group_by", ["['Lancelot', 'Lancelot', 'Galahad', 'Galahad'] ['the Brave', 'the Pure', 'the Brave', 'the Pure']"]),
    ],
)  # fmt: skip
def test_other_inputs_than_the_product(s, multiplex, outputs, how):
    def melt(knights=None, quality=None):
        return f"{knights} {quality}"

    flow = s.flow(MELT, multiplex={"melt": multiplex})
    flow.run(**how)
    assert flow["melt"] == outputs
    assert set(flow.run(**how).counts) == {"hit"}


def test_zip_goes_as_far_as_it_is_known_what_goes_together(s):
    def number(pushed):
        return 1 // pushed

    def pair(number, letter):
        return f"{number}{letter}"

    flow = s.flow(
        "number -> pair; letter -> pair", multiplex={"pair": "zip"}, segments={"letter": lambda pushed: pushed}
    )
    flow.push(number=[1, 1, 0, 1], letter=list("abcd"))
    with pytest.raises(rms.PlanFailed, match="ZeroDivisionError"):
        flow.run(n_jobs=1)
    assert flow.counts["pair"] == {"done": 2}
    assert (
        "pair ran as far as it is known what goes together: by the order of the outputs of number" in flow.problems[0]
    )


def test_a_group_gets_its_class(s):
    def lengths(knights, quality, group):
        return f"{group}: {len(knights)}"

    flow = s.flow("knights -> lengths; quality -> lengths", multiplex={"lengths": 'group_by "len(knights)"'})
    flow.run(n_jobs=1)
    assert flow["lengths"] == ["8: 2", "7: 2"]


def test_comments_of_a_function_say_what_it_gets(s):
    def melt(knights, quality):
        # multiplex zip
        return f"{knights} {quality}"

    flow = s.flow(MELT)
    flow.run(n_jobs=1)
    assert len(flow["melt"]) == 2


def test_a_class_that_is_not_hashable_is_named_and_the_rest_goes_on(s):
    def other(knights):
        return knights.upper()

    flow = s.flow(f"{MELT}; knights -> other", multiplex={"melt": 'group_by "[knights]"'})
    with pytest.raises(rms.PlanFailed, match=r"multiplex of melt: '\[knights\]' gives a list, which cannot be a class"):
        flow.run(n_jobs=1)
    assert flow["other"] == ["LANCELOT", "GALAHAD"] and flow["melt"] == []
    assert "cannot be a class" in repr(flow)


# W3: changes ---------------------------------------------------------------------------------------------------------


def test_a_changed_segment_runs_and_what_follows_from_it_not_its_parents(s, write):
    code = write(
        start="set_output([1, 2])",
        fit="set_output(get_input() * 10)",
        end="set_output(get_input() + 1)",
    )
    graph = "start -> fit_a -> end; start -> fit_b"
    flow = s.flow(graph, code)
    assert counts(flow.run(n_jobs=1)) == {"done": 7}
    write(end="# A comment changes nothing.\nset_output(get_input() + 1)")
    assert counts(flow.run(n_jobs=1)) == {"hit": 7}
    write(fit="set_output(get_input() * 100)")
    assert counts(flow.run(n_jobs=1)) == {"hit": 1, "done": 6}
    assert flow["end"] == [101, 201] and flow["fit_b"] == [100, 200]
    write(fit="x = get_input()\nset_output(100 * x)")
    assert counts(flow.run(n_jobs=1)) == {"hit": 3, "done": 4}  # Of the same content, nothing follows.


def test_what_a_script_imports_depends_on_or_hooks_in_counts(s, write):
    code = write(
        seg="""
            #depend table.txt
            import beside
            from pathlib import Path
            hook("more", globals())
            set_output(beside.two() + more + int(Path(__file__.replace("seg.py", "table.txt")).read_text()))
        """,
        seg_more="more = 10",
        beside="def two():\n    return 2",
    )
    (code / "table.txt").write_text("100")
    flow = s.flow("seg", code)
    flow.run(n_jobs=1)
    assert flow["seg"] == [112]
    write(seg_more="more = 20")
    assert counts(flow.run(n_jobs=2)) == {"done": 1} and flow["seg"] == [122]
    (code / "table.txt").write_text("200")
    assert counts(flow.run(n_jobs=1)) == {"done": 1} and flow["seg"] == [222]
    assert counts(flow.run(n_jobs=1)) == {"hit": 1}


def test_what_a_script_reads_of_the_world_counts_as_it_does_for_a_function(s, write, monkeypatch):
    monkeypatch.setenv("RMS_TEST_WHO", "Lancelot")
    Path("data.txt").write_text("1")
    scripts = {
        "env": "import os\nset_output(os.environ['RMS_TEST_WHO'])",
        "file": "from pathlib import Path\nname = 'da' + 'ta.txt'\nset_output(Path(name).read_text())",
        "state": "k = 2\ndef twice(x):\n    global k\n    k = k + 0\n    return x * k\nset_output([twice(1), twice(2)])",
        "shapes": "class A:\n    n = 3\ndef fact(n):\n    return 1 if n < 2 else n * fact(n - 1)\nset_output(fact(A.n))",
        "own": "set_output(__name__)",
    }
    code = write(**scripts)
    flow = s.flow(";".join(scripts), code)
    assert counts(flow.run(n_jobs=1)) == {"done": 5} and counts(flow.run(n_jobs=2)) == {"hit": 5}
    assert [flow[name] for name in scripts] == [["Lancelot"], ["1"], [2, 4], [6], ["own"]]
    monkeypatch.setenv("RMS_TEST_WHO", "Bors")
    Path("data.txt").write_text("22")
    assert counts(flow.run(n_jobs=1)) == {"done": 2, "hit": 3}
    assert flow["env"] + flow["file"] == ["Bors", "22"]


def test_a_script_that_changes_the_process_in_a_hook_runs_each_time(s, write):
    code = write(seg="hook('more', globals())\nset_output(1)", seg_more="import os\nos.environ['RMS_TEST_X'] = '1'")
    flow = s.flow("seg", code)
    with pytest.warns(rms.RmsWarning, match="runs each time"):
        flow.run(n_jobs=1)
    os.environ.pop("RMS_TEST_X")
    assert counts(flow.run(n_jobs=1)) == {"done": 1} and os.environ.pop("RMS_TEST_X") == "1"


@pytest.mark.parametrize(
    "made", ["n = float('nan')\nset_output([n, n, 1.0])", "set_output([float('nan')] * 2 + [1.0])"]
)
def test_what_is_not_a_number_is_one_class_whether_it_ran_or_is_read_again(s, write, made):
    code = write(numbers=made, group="#multiplex group_by '(numbers, 1)'\nset_output(len(get_input('numbers')))")
    for _ in range(2):
        flow = s.flow("numbers -> group", code)
        flow.run(n_jobs=1)
        assert flow["group"] == [2, 1]


# W4: the segment's environment ---------------------------------------------------------------------------------------

KNIGHTS = {
    "knights": """
        nside, names = 64, ["Lancelot", "Galahad"]
        save_param(["nside", "names"])
        for name in names:
            with open(get_data_fn(f"{name}.txt"), "w") as file:
                file.write(name)
        set_output(names)
    """,
    "quality": "seg_output = ['the Brave', 'the Pure']",
    "melt": """
        from pathlib import Path
        knight, quality = get_input("knights"), seg_input["quality"]
        load_param("knights", globals(), ["nside"])
        sizes = [len(knight), nside]
        expose(["knight", "nside"])
        save_products(get_data_fn("sizes.pkl"), globals(), ["sizes"])
        with open(get_data_fn("result.txt"), "w") as file:
            file.write(Path(get_data_fn(f"{knight}.txt", "knights")).read_text() + " " + quality)
        logged_subprocess(["echo", knight])
        logger.info("melted %s", knight)
        tmp = get_tmp_fn()
        Path(tmp).write_text("x")
        set_output(f"{knight} {quality}")
    """,
    "report": """
        #multiplex cross_prod group_by "0"
        from pathlib import Path
        found = [Path(path).read_text() for path in glob_parent("result.txt")]
        logs = [Path(path).read_text() for path in glob_parent("*.log", "melt")]
        load_products(glob_parent("*.pkl")[0], globals(), ["sizes"])
        everybody = [Path(path).read_text() for path in glob_seg("knights", "*.txt")]
        set_output([(seg_input, sorted(found), sorted(logs)[0], sizes, everybody, len(get_input("melt")))])
    """,
}


def test_the_environment_of_a_segment(s, write, how, tmp_path):
    flow = s.flow(f"{MELT} -> report", write(**KNIGHTS), name="round table")
    assert counts(flow.run(**how)) == {"done": 7}
    four = ["Galahad the Brave", "Galahad the Pure", "Lancelot the Brave", "Lancelot the Pure"]
    [(group, found, log, sizes, everybody, count)] = flow["report"]
    assert (group, found, log, everybody, count) == (0, four, "Galahad\n", ["Galahad", "Lancelot"], 4)
    assert sizes in ([7, 64], [8, 64])
    [version] = (tmp_path / "outputs" / "round-table").glob("melt_*")
    assert len(list(version.glob("*/result.txt"))) == 4 and list(version.glob("Lancelot_the-Brave_*"))
    rows = [row for row in _rows(flow.table()) if row["segment"] == "melt"]
    assert len(rows) == 4
    row = rows[-1]
    assert (row["knight"], row["nside"], Path(row["folder"]).parent) == ("Galahad", 64, version)
    assert "melted Galahad" in s.logs(flow.files("melt")[-1]).text
    assert counts(flow.run(**how)) == {"hit": 7}


def _rows(table):
    return table if isinstance(table, list) else table.to_dict("records")


def test_what_a_segment_read_of_others_is_an_edge_and_counts(s, write):
    flow = s.flow(f"{MELT} -> report", write(**KNIGHTS))
    flow.run(n_jobs=1)
    [report] = s.tasks(pipe="flow.report")
    read = {os.path.basename(path) for (path,) in s.sql("SELECT f.path FROM edges e JOIN files f ON f.id = e.src WHERE e.dst = ?", [report.id]).fetchall()}  # fmt: skip
    assert {"result.txt", "sizes.pkl", "echo.log", "Galahad.txt"} <= read
    write(knights=KNIGHTS["knights"].replace("file.write(name)", "file.write(name.upper())"))
    assert counts(flow.run(n_jobs=1)) == {"done": 6, "hit": 1}  # The outputs are the same, the files are not.
    assert flow["report"][0][1][0] == "GALAHAD the Brave"
    write(knights=KNIGHTS["knights"])
    assert counts(flow.run(n_jobs=1)) == {"hit": 7}


def test_a_removed_or_altered_product_is_made_again(s, write):
    flow = s.flow(MELT, write(**KNIGHTS))
    flow.run(n_jobs=1)
    Path(flow.files("melt")[0].path).unlink()
    assert counts(flow.run(n_jobs=1)) == {"done": 1, "hit": 5}


def test_figures_are_drawn_without_a_display(s, write):
    code = write(
        plot="""
            import matplotlib.pyplot as plt
            fig, ax = plt.subplots()
            ax.plot([1, 2])
            fig.savefig(get_data_fn("line.png"))
            plt.close(fig)
        """
    )
    flow = s.flow("plot", code)
    assert counts(flow.run(n_jobs=2)) == {"done": 1}
    assert Path(flow.files("plot")[0].path).read_bytes().startswith(b"\x89PNG")


def test_what_is_written_below_python_is_an_output_too(s, write):
    flow = s.flow("copy", write(copy="import os\nos.system(f'echo x > {get_data_fn(\"x.txt\")}')"))
    flow.run(n_jobs=1)
    assert [Path(file.path).name for file in flow.files("copy")] == ["x.txt"]


def test_a_script_that_says_no_output_lets_its_children_run_and_an_empty_list_does_not(s, write):
    code = write(
        a="import pathlib\npathlib.Path(get_data_fn('x')).write_text('x')",
        b="set_output(len(glob_parent('*')))",
        c="set_output([])",
    )
    flow = s.flow("a -> b; c -> d", code, segments={"d": lambda c: c})
    assert counts(flow.run(n_jobs=1)) == {"done": 3}
    assert flow["b"] == [1] and flow["d"] == []


def test_outputs_can_be_added_to_those_that_a_script_begins_with(s, write):
    code = write(some="for n in get_input():\n    seg_output.append(n)", then="set_output(get_input())")
    flow = s.flow("some -> then", code).push(some=[[1, 2], []])
    assert counts(flow.run(n_jobs=1)) == {"done": 4}
    assert flow["then"] == [1, 2]


@pytest.mark.parametrize(
    "script",
    [
        b"\xef\xbb\xbfset_output(1)",
        b"# -*- coding: latin-1 -*-\nx = '\xe9'\nset_output(len(x))",
        b"from __future__ import annotations\n\nset_output(1)",
        b'x = """\n#multiplex products\n#depend nothing.csv\n"""\nset_output(1)',
    ],
)
def test_a_script_is_read_as_python_reads_it(s, write, script):
    code = write(one="")
    (code / "one.py").write_bytes(script)
    flow = s.flow("one", code)
    flow.run(n_jobs=1)
    assert flow["one"] == [1]
    assert counts(s.flow("one", code).run(n_jobs=1)) == {"hit": 1}


def test_a_hook_may_run_another_which_counts(s, write):
    code = write(one="hook('outer', globals())\nset_output(x)", one_outer="hook('inner')", one_inner="x = 1")
    flow = s.flow("one", code)
    flow.run(n_jobs=1)
    write(one_inner="x = 2")
    assert counts(flow.run(n_jobs=1)) == {"done": 1} and flow["one"] == [2]


def test_scalars_of_numpy_are_saved_as_parameters(s, write):
    a = "import numpy as np\nx = np.float64(2.5)\nsave_param('x')"
    flow = s.flow("a -> b", write(a=a, b="load_param('a', globals())\nset_output(x)"))
    flow.run(n_jobs=1)
    assert flow["b"] == [2.5]


def test_pushed_inputs_of_a_script(s, write):
    code = write(
        cmb="(nside, sim_id) = get_input()\nset_output(sim_id)", noise="nside = seg_input()\nset_output(nside)"
    )
    flow = s.flow("cmb -> all; noise -> all", code, segments={"all": lambda cmb, noise: (cmb, noise)})
    flow.push(cmb=[(64, n) for n in range(3)], noise=[64])
    assert counts(flow.run(n_jobs=1)) == {"done": 7}
    assert flow["all"] == [(0, 64), (1, 64), (2, 64)]


def test_names_that_are_no_names_in_python(s, write):
    code = write(**{"fit 2-d": "set_output(get_input('class') + seg_input['2d'])"})
    flow = s.flow('"class" -> "fit 2-d"; "2d" -> "fit 2-d"', code, segments={"class": lambda: 1, "2d": lambda: 2})
    flow.run(n_jobs=1)
    assert flow["fit 2-d"] == [3]


# W4: versions --------------------------------------------------------------------------------------------------------


def test_versions_stand_side_by_side_are_tagged_compared_and_deleted(s, write, tmp_path):
    flow = s.flow(f"{MELT} -> report", write(**KNIGHTS))
    flow.run(n_jobs=1)
    flow.versions("melt")[0].tag("paper")
    write(melt=KNIGHTS["melt"].replace('f"{knight} {quality}"', 'f"{quality} {knight}"'))
    flow.run(n_jobs=1)
    new, old = flow.versions("melt")
    assert (new.counts, old.counts, old.tags, new.tags) == ({"done": 4}, {"done": 4}, ["paper"], [])
    assert "get_input" in old.code and len(list((tmp_path / "outputs" / "flow").glob("melt_*"))) == 2
    compared = new.compare(old)
    assert any(line.startswith('+set_output(f"{quality} {knight}")') for line in compared.notes)
    melted = next(row for row in compared.rows() if row["name"].startswith('flow.melt("Lancelot", quality="the Brave"'))
    assert (melted["before"], melted["after"]) == ("['Lancelot the Brave']", "['the Brave Lancelot']")
    with pytest.raises(rms.RmsError, match="is used by 1 task"):
        old.delete()
    old.delete(dependants=True, files=True)
    assert [version.id for version in flow.versions("melt")] == [new.id] and len(flow.versions("report")) == 1
    assert len(list((tmp_path / "outputs" / "flow").glob("melt_*"))) == 1
    assert counts(flow.run(n_jobs=1)) == {"hit": 7}


# W5: DOT in, DOT out, and how a flow looks ---------------------------------------------------------------------------


def test_a_flow_shows_itself(s, tmp_path):
    flow = s.flow(f"digraph table {{ {MELT} }}")
    flow.run(n_jobs=1)
    assert flow.name == "table"
    assert repr(flow).splitlines()[-1] == "melt     4 done  ← knights, quality"
    html = flow._repr_mimebundle_()["text/html"]
    assert "<svg" in html and "4 done" in html
    flow.to_dot(tmp_path / "table.dot")
    again = s.flow((tmp_path / "table.dot").read_text())
    assert again.graph.edges == flow.graph.edges and again.segments == flow.segments


@pytest.mark.parametrize("name", ['say "so"', "a\\\\b", "two\nlines", "node", "é ü", "a-b"])
def test_a_flow_that_is_written_as_dot_reads_back_the_same(s, name):
    written = '"' + name.replace('"', '\\"') + '" -> melt'
    flow = s.flow(written, segments={name: lambda: 1, "melt": lambda x: x})
    assert s.flow(flow.to_dot(), segments={name: lambda: 1, "melt": lambda x: x}).segments == flow.segments


def test_hostile_names_are_escaped(s):
    name = "<script>alert(1)</script>"
    flow = s.flow(f'"{name}" -> b', segments={name: lambda: 1, "b": lambda x: x})
    flow.run(n_jobs=1)
    assert "<script" not in flow._repr_mimebundle_()["text/html"]
    assert not list(Path().glob("outputs"))


def test_a_flow_runs_in_the_background(s):
    flow = s.flow(MELT)
    assert flow.run(n_jobs=1, background=True) is None
    assert counts(flow.wait(60)) == {"done": 6} and len(flow["melt"]) == 4


def test_a_cell_draws_a_flow_that_runs_as_the_notebook_goes_on(kernel):
    kernel.run("def knights(): return ['Lancelot', 'Galahad']\ndef melt(x): return x.upper()")
    shown = kernel.run("%%rms flow table\nknights -> melt;\n// and no more")
    assert "melt     not run  ← knights" in shown.result
    kernel.run("table.run(n_jobs=1)")
    assert "['LANCELOT', 'GALAHAD']" in kernel.run("table['melt']").result
    kernel.run("def melt(x): return x.lower()")
    kernel.run("table.run(n_jobs=1)")
    assert "['lancelot', 'galahad']" in kernel.run("table['melt']").result
    assert "not valid DOT in line 2" in kernel.run("%%rms flow t\na -> b;\n-> c").error
    assert "usage" in kernel.run("%%rms flow\na -> b").error
    zipped = kernel.run("%%rms flow t --multiplex 'melt=group_by'\nknights -> melt")
    assert "melt" in zipped.result


# Bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dot", "options", "message"),
    [
        ("a -> b; b -> a", {}, "these segments wait for each other"),
        ("a -> ", {}, "not valid DOT"),
        ("", {}, "no segments"),
        ("digraph { a -> b; /* x -- y */ b--c }", {}, r"the edge b -- c has no direction\n→ write b -> c"),
        ('a -> "b -- c"; "b -- c" -- d  // e -- f', {}, r'the edge "b -- c" -- d has no direction'),
        ("knigths", {}, r"nothing to run for the segment 'knigths'\n→ did you mean knights"),
        ("nothing_like_it", {"code_dir": "."}, r"define a function nothing_like_it, or write .*/nothing_like_it.py"),
        ("knights", {"code_dir": "not/there"}, "there is no folder"),
        ('"../outside"', {"code_dir": "inside"}, "nothing to run for the segment '../outside'"),
        ('"os.remove"', {}, "nothing to run for the segment 'os.remove'"),
        ("knights -> wrong", {"segments": {"wrong": lambda x, y: 1}}, "gets the outputs of knights, and .* takes x, y"),
        (MELT, {"multiplex": {"melt": "product"}}, "multiplex of melt: 'product' is not a valid multiplex"),
        (MELT, {"multiplex": {"melt": "where 'knight'"}}, "multiplex of melt: 'knight' uses knight\n→ there are: knights"),
        (MELT, {"multiplex": {"melt": 3}}, "multiplex of melt is written as text, not as int"),
        (MELT, {"multiplex": "zip"}, r"multiplex is a str: of which segment\?\n→ multiplex={'melt'"),
        (MELT, {"segments": [melt]}, r"segments is a list: of which segment\?"),
        (MELT, {"segments": {"mlet": melt}}, "segments= names 'mlet', which is not a segment\n→ there are: knights"),
        (MELT, {"name": 3}, "a flow cannot be called 3"),
        (MELT, {"multiplex": {"mlet": "zip"}}, "a multiplex names 'mlet', which is not a segment"),
    ],
)  # fmt: skip
def test_a_flow_that_cannot_run_says_why_at_once(s, tmp_path, dot, options, message):
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside.py").write_text("raise SystemExit")
    with pytest.raises(rms.RmsError, match=message):
        s.flow(dot, **options)


def test_what_cannot_be_pushed_is_refused(s):
    flow = s.flow(MELT)
    with pytest.raises(rms.RmsError, match="melt gets the outputs of knights, quality"):
        flow.push(melt=[1])
    with pytest.raises(rms.RmsError, match="'squires', which is not a segment"):
        flow.push(squires=[1])
    with pytest.raises(rms.RmsError, match="knights is pushed a list"):
        flow.push(knights="Lancelot")
    with pytest.raises(rms.PlanFailed, match="add takes x, y, and 7 was pushed"):
        s.flow("add", segments={"add": lambda x, y: x + y}).push(add=[(1, 2), 7]).run(n_jobs=1)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("get_data_fn('../../x')", "lies outside the folder of the task"),
        ("hook('none', globals())", "has no hook 'none'"),
        ("glob_seg('quality')", "quality is not a segment before this one"),
        ("x = object()\nsave_param('x')", "x = <object object at .*> cannot be a parameter"),
        ("x = float('nan')\nsave_param('x')", "x = nan cannot be a parameter"),
        ("logged_subprocess('echo x')", "logged_subprocess takes a list, not 'echo x'"),
        ("#depend nothing.csv", "melt: #depend names nothing.csv, which is not there"),
        ("#depend 'nothing", "melt: #depend cannot be read: No closing quotation"),
        ("load_param('knights', globals(), ['y'])", "has no y"),
        ("get_input('quality')", "there is no input from 'quality'"),
    ],
)
def test_a_script_that_asks_for_what_is_not_there_is_told(s, write, script, message):
    code = write(knights="x = 1\nsave_param('x')\nset_output(1)", melt=script)
    with pytest.raises(rms.RmsError, match=message):
        s.flow("knights -> melt; quality", code).run(n_jobs=1)


def test_a_task_that_failed_is_named_by_the_item_that_it_got(s, write):
    code = write(parts="set_output([1, 2, 3])", each="set_output(1 / (get_input() - 2))")
    with pytest.raises(rms.PlanFailed, match=r"flow\.each\(2\) failed: ZeroDivisionError"):
        s.flow("parts -> each", code).run(n_jobs=1)


TWO_PARTS = "set_output(['p', 'q'])"
EACH = "nside, part = 64, get_input()\nsave_param(['nside', 'part'])\nset_output(part)"


def test_the_tasks_of_a_group_read_a_parameter_in_which_they_agree(s, write):
    group = "#multiplex group_by '0'\nload_param('each', globals(), ['nside'])\nset_output(nside)"
    flow = s.flow("parts -> each -> group", write(parts=TWO_PARTS, each=EACH, group=group))
    flow.run(n_jobs=1)
    assert list(flow["group"]) == [64]


def test_the_tasks_of_a_group_are_told_of_a_parameter_in_which_they_differ(s, write):
    group = "#multiplex group_by '0'\nload_param('each', globals())"
    with pytest.raises(rms.PlanFailed, match="part is not the same in all 2 tasks of each that this one rests on"):
        s.flow("parts -> each -> group", write(parts=TWO_PARTS, each=EACH, group=group)).run(n_jobs=1)


def test_files_of_segments_are_found_whatever_the_working_directory_is(s, write, tmp_path_factory, monkeypatch):
    code = write(parts=TWO_PARTS, each=EACH, after="load_param('each', globals())\nset_output(part)")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    flow = s.flow("parts -> each -> after", code)
    flow.run(n_jobs=1)
    assert list(flow["after"]) == ["p", "q"]
    assert flow.run(n_jobs=1).counts == {"hit": 5}


def test_pickles_of_a_store_that_is_not_trusted_are_not_read(s, write, monkeypatch):
    flow = s.flow(
        "a -> b", write(a="x = 1\nsave_products('x.pkl')\nset_output(1)", b="load_products(glob_parent('*')[0])")
    )
    monkeypatch.setattr(type(s), "is_trusted", lambda self: False)
    with pytest.raises(rms.PlanFailed, match=r"x\.pkl is a pickle, and this store was made elsewhere"):
        flow.run(n_jobs=1)
