"""Records that somebody has made up, in a store made elsewhere: they are data, and what is no record counts for nothing."""

from __future__ import annotations

import json

import pytest

import rms_jupyter as rms
from rms_jupyter.fingerprint.values import digest
from rms_jupyter.panel.questions import answer

pytestmark = pytest.mark.filterwarnings("ignore:.* was made elsewhere:rms_jupyter.errors.RmsWarning")

D = "abcd" * 8
DEEP = b"[" * 5000 + b"]" * 5000
TASK = {"record": "task", "key": D, "pipe": 1, "args": {}, "status": "done", "k": 3}
FILE = {"record": "resource", "digest": D, "kind": "file", "type": "file", "path": "a.txt", "size": 3, "k": 3}
FLOW = {"record": "flow", "name": "peaks", "text": "a -> b", "pipes": {"a": "double"}, "k": 3}
RUN = {"record": "run", "started": 1, "k": 3}
NO_RECORDS = [
    b"[]", b"{}", b"nul", b'{"record":"later","k":3}', b'{"record":"task","args":' + DEEP + b"}",
    b'{"record":"task","key":"\xff"}', *(json.dumps(forged).encode() for forged in [
        TASK | {"k": 1 << 63}, TASK | {"k": -1}, TASK | {"key": "../../secret"}, TASK | {"args": [1]}, TASK | {"pipe": -1},
        TASK | {"started": 1 << 62}, TASK | {"seconds": 1e300}, TASK | {"used": [[-5, "x"]]}, TASK | {"earlier": 1 << 70},
        TASK | {"shown": "../../secret"}, TASK | {"out": [{"digest": "/etc/passwd"}]}, TASK | {"files": [["a\0b", D]]},
        FILE | {"path": "a\0b"}, FILE | {"digest": D + D}, FILE | {"format": "../txt"}, FILE | {"size": "3"},
        FLOW | {"pipes": ["double"]}, FLOW | {"pipes": {"a": 5}}, FLOW | {"name": None}, FLOW | {"text": {}},
        RUN | {"count": 1 << 40}, RUN | {"environment": "'; DROP TABLE raw.tasks; --"}, RUN | {"folder": "\0"},
        {"record": "environment", "digest": ".."}, {"record": "environment", "digest": D, "packages": ["numpy"]},
        {"record": "status", "ids": [-1], "status": "deleted"}, {"record": "status", "ids": "all", "status": "deleted"},
        {"record": "eviction", "objects": ["../../secret.txt"]}, {"record": "checkout", "run": -1, "commit": "c"},
        {"record": "tracked", "path": "\0", "name": "x"}, {"record": "tracked", "path": "x", "name": "x", "configs": [[]]},
        {"record": "template", "name": ["x"], "text": "x"}, {"record": "accept", "name": "x", "version": "*"},
        {"record": "pipe", "name": "x", "version": "*"}, {"record": "writer", "host": "h", "pid": 1 << 40},
    ]),
]  # fmt: skip
ODD = [
    "",
    "\x1b[2J",
    "<img src=x onerror=alert(1)>",
    "{{ 7*7 }}",
    "'; DROP TABLE raw.tasks; --",
    "../../secret",
    "\U0010dc80",
]
TEXTS = [
    "def t(: ",
    "import os",
    "def t(x=open('ran', 'w')): pass",
    "(" * 3000,
    'a [image="/etc/passwd" URL="javascript:1"]',
]


def double(x):
    return 2 * x


def total(**parts):
    return sum(parts.values())


def odd_records():
    """Records as this package writes them, with names and texts as nobody would choose them."""
    for text in (*ODD, *TEXTS):
        yield FLOW | {"name": text, "text": text, "pipes": {text: text}}
        yield {"record": "template", "name": text, "text": text, "k": 3}
        yield {"record": "tracked", "path": text, "name": text, "configs": [text], "k": 3}
        yield RUN | {"notebook": text, "cell": text, "code": text, "folder": text, "rule": text}
        yield {"record": "environment", "digest": D, "python": text, "packages": {text: text}, "conda": text, "k": 3}
        yield {"record": "checkout", "run": 1, "commit": text, "dirty": True, "k": 3}
        yield FILE | {"path": text, "type": text, "preview": text}
        yield TASK | {"args": {text: text}, "reason": text, "printed": text, "error": {"type": text, "message": text}}


@pytest.fixture
def forge(tmp_path, monkeypatch):
    """Have another user make a store with a result of `double(21)`, and write lines to it."""

    def forge(lines, also=lambda session: ()):
        with monkeypatch.context() as other:
            other.setenv("XDG_DATA_HOME", str(tmp_path / "data of another"))
            session = rms.open(tmp_path / "foreign" / "analysis.rms")
            session.register_pipe(double)(21)
            session.store._journal.append([*also(session), *lines])
            other.setattr(session.store, "tidy", lambda: None)  # What it makes of them is another question.
            session.close()
        return session.path

    return forge


def test_what_is_no_record_is_skipped_and_told(forge):
    with rms.open(forge(NO_RECORDS)) as s:
        assert s.register_pipe(double)(21).task.hit
        assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(1,)]
        assert s.sql("SELECT count(*) FROM raw.rejected").fetchall() == [(len(NO_RECORDS),)]
        assert s.sql("SELECT * FROM flows UNION ALL SELECT * FROM flows").fetchall() == []
        skipped = [problem for problem in s.problems if "damaged bytes" in problem]
        assert 10 < len(skipped) < len(NO_RECORDS), "the first ones one by one"
    with rms.open(s.path) as s:
        assert s.register_pipe(double)(4).task.status == "done"
        assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(2,)]


def test_odd_names_and_texts_are_shown_and_run_nothing(forge, tmp_path):
    with rms.open(forge([json.dumps(record).encode() for record in odd_records()])) as s:
        s.register_pipe(double)
        shown = [s.tasks(), s.files(), s.figures(), s.runs(), s.templates(), s.tracked(), s.rules(), s.check(full=True)]
        text, html = "".join(map(repr, shown)), "".join(found._repr_html_() for found in shown[:5])
        questions = [{"ask": "page", "table": table} for table in ("tasks", "failures", "files", "runs", "figures")]
        questions += [{"ask": ask} for ask in ("flows", "rules", "store", "saved", "going")]
        for (ident,) in s.sql("SELECT id FROM tasks").fetchall():
            text += repr(s.why(ident)) + repr(s.logs(ident))
        for (ident,) in s.sql("SELECT id FROM nodes").fetchall():
            text += repr(s.show(ident)) + repr(s.lineage(ident))
            questions += [{"ask": ask, "id": str(ident), "what": str(ident)} for ask in ("details", "lineage")]
        assert [found for question in questions if "error" in (found := answer(question))] == []
        text += repr(s.results())
        for format in ("dot", "prov", "provn", "rocrate", "parquet"):
            s.export(None, format, tmp_path / f"all.{format}")
        assert "\x1b" not in text and "<img src=x" not in html
        for name in ("t", *ODD):
            with pytest.raises(rms.UntrustedContent):
                s.template(name)
        with pytest.raises(rms.UntrustedContent):
            s.work()
        assert not list(tmp_path.glob("**/ran"))


def test_the_name_of_an_argument_is_no_code(forge, tmp_path):
    name = f"p=open({str(tmp_path / 'ran')!r}, 'w').close() or 1, q"

    def forged(session):
        record = session.store.record(session.register_pipe(total)(a=1).task.id)[1]
        given = {"digest": digest("<5>").hex(), "type": "str", "format": "json", "value": "<5>", "kind": "given"}
        out = {"digest": D, "type": "int", "format": "json", "value": 2}
        args = {"parts": {"b": "<5>", name: 1}}
        task = TASK | {"pipe": record.pipe, "args": args, "out": [out], "given": [given], "used": [[2, "parts.b"]]}
        yield json.dumps(task).encode()

    with rms.open(forge([], forged)) as s:
        s.register_pipe(total)
        [(ident,)] = s.sql(f"SELECT id FROM tasks WHERE key = '{D}'").fetchall()
        template = s.template_from(ident + 1, inputs=[ident + 2])
        assert not (tmp_path / "ran").exists()
        template.defer(5)
        assert not (tmp_path / "ran").exists(), template.text


def test_nothing_is_computed_with_arguments_that_others_chose(forge, tmp_path):
    def write(text, path):
        with open(path, "w") as file:
            file.write(text)
        return text

    def forged(session):
        task = session.register_pipe(write)("mine", str(tmp_path / "ran")).task
        (tmp_path / "ran").unlink()
        record = session.store.record(task.id)[1]
        out = {"digest": D, "type": "text"}
        for key in (record.key, D):
            args = {"text": "forged", "path": str(tmp_path / "ran")}
            task = TASK | {"key": key, "pipe": record.pipe, "out": [out], "args": args, "cached": False}
            yield json.dumps(task).encode()

    with rms.open(forge([], forged)) as s:
        s.register_pipe(write)
        for (ident,) in s.sql("SELECT id FROM resources WHERE type = 'text'").fetchall():
            with pytest.raises(rms.RmsError, match="trust"):
                s.home.resource(ident).content
        s.check(verify=1.0)
        assert not (tmp_path / "ran").exists()
