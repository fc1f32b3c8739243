"""Is what front ends are given what its types say?  TypeScript has the same types, and trusts them."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import msgspec
import numpy as np
import pandas as pd
import pytest

import rms_jupyter as rms
from rms_jupyter.panel import twin
from rms_jupyter.panel.page import ROWS
from rms_jupyter.panel.questions import ANSWERS, Refusal, answer
from rms_jupyter.panel.running import RunState
from rms_jupyter.session import Session
from rms_jupyter.views.drawing import MIME_TYPE as LINEAGE
from rms_jupyter.views.drawing import Payload


def check(given, kind):
    """Read what was given strictly as its type, and find in it nothing that the type does not tell of."""
    assert msgspec.to_builtins(msgspec.convert(given, kind)) == given


def ask(what, **question):
    given = answer({"ask": what, **question})
    check(given, get_type_hints(ANSWERS[what], localns={"Session": Session})["return"])
    return given


@pytest.fixture
def lab(s):
    """Calls of every kind: values and files, given and made; done, failed, and what a plan left out."""
    Path("raw.csv").write_text("a,b\n1,2\n")

    def load(path, rows=3):
        print("loading")
        return pd.DataFrame({"a": range(rows)})

    def plot(frame):
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots()
        axes.plot(frame["a"])
        plt.close(figure)
        return figure

    def save(frame, out="out.csv"):
        frame.to_csv(out)

    def refuse(array):
        raise ValueError("no")

    load, plot, save, refuse = (s.register_pipe(function) for function in (load, plot, save, refuse))
    frame = load(s.register_file("raw.csv"))
    plot(frame)
    save(frame)
    with pytest.raises(ValueError):
        refuse(np.arange(10))
    with s.plan() as plan:
        failed = refuse(load("raw.csv", 7))
        save(failed, "never.csv")
    with pytest.raises(rms.PlanFailed):
        plan.run()
    return s, plan


def test_pages_hold_the_rows_of_their_tables(lab):
    for table, kind in ROWS.items():
        rows = ask("page", table=table)["rows"]
        assert rows
        for row in rows:
            check(row, kind)


def test_all_that_is_told_of_anything_is_as_its_type_says(lab):
    ids = [row["id"] for table in ROWS if table != "runs" for row in ask("page", table=table)["rows"]]
    kinds = set()
    for ident in ids:
        drawn = ask("lineage", id=ident)
        ids += [box["id"] for box in drawn["nodes"] if box["id"] not in ids]
        told = ask("details", id=ident)
        kinds.add((told["kind"], (told["glimpse"] or {}).get("kind")))
        if told["kind"] == "task":
            ask("log", task=ident)
    assert {"task", "file", "value", "given"} == {kind for kind, _ in kinds}
    assert {"text", "table", None} <= {glimpse for _, glimpse in kinds}
    ask("figure", id=ask("page", table="figures")["rows"][0]["id"])
    assert ask("search", text="load", view=drawn["view"])["hits"]


def test_runs_and_the_store_are_told_as_their_types_say(lab):
    s, plan = lab
    assert ask("store")["tasks"] and ask("going")["runs"] == []
    state = twin.ending(plan, str(s.path))[twin.MIME_TYPE]
    check(state, RunState)
    assert state["phase"] == "failed" and state["pipes"] and state["failures"]
    check(s.lineage(int(ask("page", table="tasks")["rows"][0]["id"]))._repr_mimebundle_()[LINEAGE], Payload)


def test_an_empty_store_is_told_as_its_types_say(s):
    assert ask("store")["tasks"] == 0 and ask("going")["runs"] == []
    assert not any(ask("page", table=table)["rows"] for table in ROWS)


def test_a_refusal_is_told_as_its_type_says(s):
    for question in ({"ask": "weather"}, {"ask": "log", "task": "x"}, {"ask": "made_in", "what": "nothing"}):
        check(answer(question), Refusal)


def test_cells_are_told_as_their_types_say(kernel, front_end):
    assert kernel.run("%rms open demo.rms\n@rms.pipe\ndef add(i): return i + 1\nresult = add(1)").ok
    given = front_end.ask({"ask": "cells", "cells": [{"id": "a", "code": "%%rms\nadd(1)"}]})
    check(given, get_type_hints(ANSWERS["cells"], localns={"Session": Session})["return"])
    place = front_end.ask({"ask": "made_in", "what": "result"})
    check(place, get_type_hints(ANSWERS["made_in"], localns={"Session": Session})["return"])
