"""The index: leads to what was put there, grows, and is only a hint."""

import os
import random

import pytest

from rms_jupyter.store.index import Index
from rms_jupyter.store.table import DamagedIndex


def test_what_was_put_is_found_after_growing(tmp_path):
    marks = {int.from_bytes(os.urandom(8), "big") | 1: n + 1 for n in range(20_000)}
    index = Index(tmp_path)
    with index.growing():
        for mark, ident in marks.items():
            index.put(mark, ident)
    other = Index(tmp_path)
    assert sum(table.pairs for table in other.load().tables) == len(marks)
    assert all(other.get(mark) == ident for mark, ident in marks.items())
    assert other.get(12345) is None


def test_the_last_put_wins(tmp_path):
    index = Index(tmp_path)
    with index.growing():
        index.put(99, 1)
        index.put(99, 2)
    index.load()
    assert index.get(99) == 2


def test_only_one_grows_it_at_a_time(tmp_path):
    with Index(tmp_path).growing() as facts:
        assert facts is not None
        with Index(tmp_path).growing() as other:
            assert other is None


def test_pairs_are_found_over_many_updates(tmp_path):
    chance, marks, index = random.Random(3), {}, Index(tmp_path)
    for size in (5, 70_000, 300, 1, 4_000, 65_000, 2, 90_000):
        new = {chance.getrandbits(64) or 1: chance.getrandbits(60) + 1 for _ in range(size)}
        new |= {mark: chance.getrandbits(60) + 1 for mark in list(marks)[:50]}
        with index.growing():
            for mark, ident in new.items():
                index.put(mark, ident)
        marks |= new
    other = Index(tmp_path)
    assert len(other.load().tables) < 6
    assert all(other.get(mark) == ident for mark, ident in marks.items())
    assert other.get(1) is None and other.get((1 << 64) - 1) is None


def test_many_at_once_become_few_tables(tmp_path, monkeypatch):
    monkeypatch.setattr("rms_jupyter.store.index._MOST_NEW", 10_000)
    monkeypatch.setattr("rms_jupyter.store.index._SMALL", 1000)
    index = Index(tmp_path)
    with index.growing(rebuild=True):
        for mark in range(1, 102_000):
            index.put(mark << 40, mark)
    assert len(index.load().tables) == 1
    assert all(index.get(mark << 40) == mark for mark in range(1, 102_000, 1111))


@pytest.mark.parametrize("apart", [False, True])
def test_one_that_does_not_win_takes_no_place(tmp_path, apart, monkeypatch):
    monkeypatch.setattr("rms_jupyter.store.index._SMALL", 0 if apart else 1 << 16)
    index = Index(tmp_path)
    for mark, ident, wins in ((5, 1, False), (5, 2, False), (6, 1, True), (6, 2, False), (7, 1, False), (7, 2, True)):
        with index.growing():
            index.put(mark, ident, wins)
    index.load()
    assert [index.get(mark) for mark in (5, 6, 7)] == [1, 1, 2]


def emptied(data):
    return b""


def cut(data):
    return data[: len(data) // 2]


def zeroed(data):
    return bytes(len(data))


def noise(data):
    return os.urandom(len(data))


def flipped(data):
    return data[:-1] + bytes([data[-1] ^ 1])


def longer(data):
    return data + bytes(4096)


@pytest.mark.parametrize("damage", [emptied, cut, zeroed, noise, flipped, longer])
@pytest.mark.parametrize("name", ["index.json", "index-*"])
def test_damage_is_noticed(tmp_path, name, damage):
    index = Index(tmp_path)
    with index.growing():
        for mark in range(1, 3000):
            index.put(mark << 50, mark)
    [path] = tmp_path.glob(name)
    path.write_bytes(damage(path.read_bytes()))
    other = Index(tmp_path)
    assert not other.load().tables and other.damage
    assert other.get(5 << 50) is None


def test_damage_to_any_byte_is_noticed_when_it_is_read(tmp_path):
    index = Index(tmp_path)
    with index.growing():
        for mark in range(1, 600):
            index.put(mark << 50, mark)
    [path] = tmp_path.glob("index-*")
    whole = path.read_bytes()
    for place in range(0, 3 * 4096, 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        other = Index(tmp_path)
        other.load()
        with pytest.raises(DamagedIndex):
            for mark in range(1, 600):
                assert other.get(mark << 50) == mark


@pytest.mark.parametrize(
    "text", ['{"journals":{"1":500},"count":3,"k":7}', '{"crc":7,"covered":{"pipes":{"3e14":[5,"load"]}}}']
)
def test_one_of_an_earlier_version_is_read_again(tmp_path, text):
    (tmp_path / "index.json").write_text(text)
    (tmp_path / "index").write_bytes(bytes(4096))
    index = Index(tmp_path)
    assert not index.load().journals and not index.damage
    with index.growing():
        index.put(99, 1)
    [table] = tmp_path.glob("index-*")
    assert (tmp_path / "index").samefile(table)
