"""The index: leads to what was put there, grows, and is only a hint."""

import os

from rms_jupyter.store.index import Index


def test_what_was_put_is_found_after_growing(tmp_path):
    marks = {int.from_bytes(os.urandom(8), "big") | 1: n + 1 for n in range(20_000)}
    index = Index(tmp_path)
    with index.growing() as facts:
        for mark, ident in marks.items():
            index.put(facts, mark, ident)
    other = Index(tmp_path)
    assert other.load().count == len(marks)
    assert all(other.get(mark) == ident for mark, ident in marks.items())
    assert other.get(12345) is None


def test_the_last_put_wins(tmp_path):
    index = Index(tmp_path)
    with index.growing() as facts:
        index.put(facts, 99, 1)
        index.put(facts, 99, 2)
        assert facts.count == 1
    index.load()
    assert index.get(99) == 2


def test_only_one_grows_it_at_a_time(tmp_path):
    with Index(tmp_path).growing() as facts:
        assert facts is not None
        with Index(tmp_path).growing() as other:
            assert other is None


def test_a_damaged_index_counts_as_empty(tmp_path):
    index = Index(tmp_path)
    with index.growing() as facts:
        index.put(facts, 99, 1)
    (tmp_path / "index").write_bytes(b"x" * 100)
    assert Index(tmp_path).load().count == 0
    (tmp_path / "index.json").write_text("{")
    assert Index(tmp_path).load().count == 0
