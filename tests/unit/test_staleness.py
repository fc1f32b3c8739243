"""Reasons: what differs is named, and how."""

import pytest

from rms_jupyter.staleness import TaskFacts, compare

BEFORE = TaskFacts(
    parts={"qc": "a" * 32, "numpy": "2.3"}, args={"k": 1, "path": "a.csv"}, globals={"CUT": 30}, used={"path": "d1"}
)


@pytest.mark.parametrize(
    "now, expected",
    [
        ({"parts": {"qc": "b" * 32, "numpy": "2.3"}}, "code_changed qc"),
        ({"parts": {"qc": "a" * 32, "numpy": "2.4"}}, "code_changed numpy 2.3 → 2.4"),
        ({"parts": {"qc": "a" * 32, "numpy": "2.3", "helper": "c" * 32}}, "code_changed helper added"),
        ({"parts": {"qc": "a" * 32}}, "code_changed numpy removed"),
        ({"globals": {"CUT": 40}}, "input_changed CUT 30 → 40"),
        ({"args": {"k": 1.0, "path": "a.csv"}}, "input_changed k 1 → 1.0"),
        ({"used": {"path": "d2"}}, "input_changed path"),
        ({"used": {"path": "d1", "ref": "d3"}}, "input_changed ref"),
        ({}, "never_run"),
    ],
)
def test_reasons(now, expected):
    fields = {name: getattr(BEFORE, name) for name in ("parts", "args", "globals", "used")} | now
    assert str(compare(TaskFacts(**fields), BEFORE, earlier=7)) == expected
    assert compare(TaskFacts(**fields), BEFORE, earlier=7).earlier == 7
