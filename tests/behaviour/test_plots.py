"""A calculation and its plot are two pipes."""

from __future__ import annotations

import ast

CALC = "%%rms\ndef spectrum(n):\n    print('calculated')\n    return [k ** n for k in range(10)]\n"
PLOT = """import matplotlib.pyplot as plt
@spectrum.plot
def drawn(spectrum, colour="red"):
    figure, axes = plt.subplots()
    axes.plot(spectrum, color=colour)
    plt.close(figure)
    return figure
"""


def test_changing_only_the_plot_does_not_repeat_the_calculation(kernel):
    def tasks() -> list[tuple[str, int]]:
        query = "SELECT pipe, count(*) FROM tasks GROUP BY ALL ORDER BY ALL"
        return ast.literal_eval(kernel.run(f"print(rms.current().sql('{query}').fetchall())").text)

    assert kernel.run("import rms_jupyter as rms\n%load_ext rms_jupyter\n%rms figures on").ok
    assert kernel.run(CALC).ok and kernel.run(PLOT + "x = drawn(2)").ok
    assert tasks() == [("drawn", 1), ("spectrum", 1)]
    assert kernel.run(PLOT.replace("red", "blue") + "x = drawn(2)").ok
    assert tasks() == [("drawn", 2), ("spectrum", 1)]
    assert kernel.run(CALC.replace("k ** n", "k * n")).ok and kernel.run(PLOT + "x = drawn(2)").ok
    assert tasks() == [("drawn", 3), ("spectrum", 2)]
    for way in ("%%rms\n", "%%rms run\n", "%%rms\n@rms.pipe\ndef other(n):\n    return n\n"):
        assert kernel.run(way + PLOT + "x = drawn(2)").ok
        assert tasks() == [("drawn", 3), ("spectrum", 2)]
    assert kernel.run("%%rms run -j 1\nxs = [drawn(n) for n in (2, 3)]").ok
    assert tasks() == [("drawn", 4), ("spectrum", 3)]
    assert kernel.run("import inspect\ninspect.signature(drawn)").shown.strip() == "<Signature (n)>"


def test_what_a_user_calls_plot_is_the_users(s):
    pipe = s.pipe(lambda n: n, name="same")
    pipe.plot = lambda: "mine"
    assert pipe.plot() == "mine"


def test_a_pipe_that_draws_runs_again_where_what_it_calls_was_changed(s):
    @s.pipe
    def powers(n):
        return [k**n for k in range(4)]

    def report_with(mark):
        drawn = powers.plot(lambda powers: mark * sum(powers), name="bars")

        @s.pipe
        def report(n):
            return [drawn(n)]

        return report

    assert report_with("#")(1) == report_with("#")(1) == ["######"]
    assert report_with("o")(1) == ["oooooo"]
    assert s.sql("SELECT count(*) FROM tasks WHERE pipe = 'report'").fetchall() == [(2,)]
