"""Journals: what is acknowledged is there, whatever is cut off behind it."""

import os

import pytest

from rms_jupyter import model
from rms_jupyter.store.journal import Journal, lock_if_dead, writer_of
from rms_jupyter.store.lines import json_of, line_of, lines_of
from rms_jupyter.store.reader import Journals
from rms_jupyter.store.sealed import FRAME, SealedJournal, seal


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path, lambda: b'{"record":"writer"}')


def records(journal):
    return [json for _, _, json in Journals(journal.path.parent).lines(journal.number, 0)]


def test_a_record_is_found_by_its_id_and_by_the_ids_inside_it(tmp_path, journal):
    ids = journal.append([b'{"a":%d,"filler":"%s"}' % (i, b"x" * i) for i in range(300)])
    journals = Journals(tmp_path)
    for number, ident in enumerate(ids):
        for inside in (0, 1, 5):
            place, json = journals.record(ident + inside)
            assert place == ident
            assert json.startswith(b'{"a":%d,' % number)


def test_a_long_record_is_read_whole(tmp_path, journal):
    [ident] = journal.append([b'{"a":"' + b"y" * 100_000 + b'"}'])
    assert len(Journals(tmp_path).record(ident)[1]) == 100_008


def test_two_writers_have_two_journals(tmp_path, journal):
    other = Journal(tmp_path, lambda: b'{"record":"writer"}')
    [a], [b] = journal.append([b'{"a":1}']), other.append([b'{"a":2}'])
    assert writer_of(a)[0] != writer_of(b)[0]
    assert Journals(tmp_path).record(b)[1] == b'{"a":2}'


def test_a_number_is_not_used_again(tmp_path, journal):
    journal.append([b'{"a":1}'])
    journal.close()
    seal(journal.path, journal.path.with_suffix(".jsonl.zst"))
    other = Journal(tmp_path, lambda: b'{"record":"writer"}')
    assert writer_of(other.append([b'{"a":2}'])[0])[0] != journal.number


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_torn_last_line_is_left_out(tmp_path, journal, cut):
    journal.append([b'{"a":1}', b'{"a":2}', b'{"last":"%s"}' % (b"z" * 30)])
    path = journal.path
    os.truncate(path, path.stat().st_size - cut)
    assert records(journal) == [b'{"record":"writer"}', b'{"a":1}', b'{"a":2}']


def test_a_damaged_line_in_the_middle_takes_no_other_with_it(tmp_path, journal):
    journal.append([b'{"a":1}', b'{"a":2}', b'{"a":3}'])
    path = journal.path
    path.write_bytes(path.read_bytes().replace(b'{"a":2}', b'{"a":7}'))
    assert records(journal) == [b'{"record":"writer"}', b'{"a":1}', None, b'{"a":3}']


def test_a_write_that_is_cut_short_goes_on_where_it_was_cut(tmp_path, journal, monkeypatch):
    [first] = journal.append([b'{"a":1}'])
    write, cut = os.write, iter([5, 0, 3, 0])

    def full(fd, block):
        if not (most := next(cut, 0)):
            raise OSError(28, "No space left on device")
        return write(fd, block[:most])

    monkeypatch.setattr(os, "write", full)
    [second] = journal.append([b'{"a":2}'])
    assert journal.trouble.errno == 28
    assert records(journal) == [b'{"record":"writer"}', b'{"a":1}']
    reader = Journals(tmp_path, own=journal)
    [third] = journal.append([b'{"a":3}'])
    assert [reader.record(ident)[1][-2:-1] for ident in (first, second, third)] == [b"1", b"2", b"3"]
    monkeypatch.undo()
    [fourth] = journal.append([b'{"a":4}'])
    assert journal.trouble is None
    assert records(journal) == [b'{"record":"writer"}', b'{"a":1}', b'{"a":2}', b'{"a":3}', b'{"a":4}']
    assert [Journals(tmp_path).record(ident)[1] for ident in (second, fourth)] == [b'{"a":2}', b'{"a":4}']


def test_a_living_writer_is_told_from_a_dead_one(tmp_path, journal):
    journal.append([b'{"a":1}'])
    assert lock_if_dead(journal.path) is None
    journal.close()
    fd = lock_if_dead(journal.path)
    assert fd is not None
    os.close(fd)


def test_a_sealed_journal_reads_as_the_live_one_did(tmp_path, journal):
    ids = journal.append([b'{"a":%d,"filler":"%s"}' % (i, os.urandom(40).hex().encode()) for i in range(20_000)])
    journal.close()
    before = records(journal)
    assert journal.path.stat().st_size > 3 * FRAME
    seal(journal.path, journal.path.with_suffix(".jsonl.zst"))
    assert not journal.path.exists()
    assert records(journal) == before
    journals = Journals(tmp_path)
    for number in (0, 1, 7_000, 19_999):
        assert journals.record(ids[number] + 1)[0] == ids[number]
    sealed = SealedJournal(journal.path.with_suffix(".jsonl.zst"))
    assert sealed.read(0, sealed.size + 10) == b"".join(line_of(json) for json in before)


def test_lines_of_any_span():
    span = line_of(b'{"a":1}') + b"garbage\n" + line_of(b'{"a":2}') + b"torn"
    assert [json for _, _, json in lines_of(span)] == [b'{"a":1}', None, b'{"a":2}']
    assert json_of(b"") is None


def test_records_survive_their_json():
    task = model.TaskRecord(
        key="ab" * 16,
        pipe=5,
        args=model.Raw(b'{"x":1}'),
        used=((7, "x"),),
        out=(model.ResourceRecord(digest="cd" * 16, format="pickle", data=b"\0\xff"),),
    )
    assert model.decode(model.encode(task)) == task
