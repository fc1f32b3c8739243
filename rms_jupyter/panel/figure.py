"""How does a figure look, at a glance?  A small picture, drawn in a process of its own.

Questions are answered in another thread than the cells', and pyplot, which keeps one current figure for all threads,
takes in what is read back. So neither matplotlib nor the user's figures are touched here.
"""

from __future__ import annotations

import atexit
import base64
import io
import os
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from rms_jupyter import model
from rms_jupyter.panel.saved import PREFIX
from rms_jupyter.store import content
from rms_jupyter.store.objects import Objects
from rms_jupyter.views.gallery import KINDS, LARGEST, as_png, is_as_made, is_drawable, what_opens
from rms_jupyter.working_folder import in_short

if TYPE_CHECKING:
    from rms_jupyter.session import Session

_PATIENCE = 30.0
_IDLE = 60


class PictureSize(NamedTuple):
    """How large a picture is: dots per inch of one that is drawn, and pixels at most of one that is made smaller."""

    dpi: int
    most: tuple[int, int]


_SMALL, _LARGE = PictureSize(40, (440, 320)), PictureSize(100, (1100, 800))


class Picture(Struct, frozen=True):
    """A picture as a data URL; '' where there is none, and why."""

    url: str
    why: str = ""


def answer(session: Session, question: dict[str, Any]) -> Picture:
    """Return the picture of the figure with the id ``id``, small unless a ``large`` one is asked for."""
    looks = _LARGE if question.get("large") else _SMALL
    try:
        if str(question["id"]).startswith(PREFIX):
            path = _saved(session, question["id"])
            kind, data = _of_file(path, looks)
            return Picture(_url(kind, data)) if data else Picture("", f"no picture; open {in_short(path)}")
        record = session.home.resource(int(question["id"]))._rms.record
        kind, data = _picture(record, session.store.objects, looks)
    except FileNotFoundError:
        return Picture("", "the file is gone")
    if not data:
        if record.path and not is_as_made(record):
            return Picture("", "changed since")
        return Picture("", "; ".join(filter(None, ["no picture", what_opens(record, int(question["id"]))])))
    return Picture(_url(kind, data))


def _url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _saved(session: Session, ident: str) -> str:
    """The path of a figure in the store's folder for figures: of nothing else."""
    name = ident.removeprefix(PREFIX)
    folder = session.store.layout.figures
    if name not in os.listdir(folder) or os.path.islink(os.path.join(folder, name)):
        raise FileNotFoundError(name)
    return os.path.join(folder, name)


def _picture(record: model.ResourceRecord, objects: Objects, looks: PictureSize) -> tuple[str, bytes]:
    if is_drawable(record):
        return "image/png", _drawn(draw, model.encode(record), objects, looks.dpi)
    return _of_file(record.path, looks) if record.path and is_as_made(record) else ("", b"")


def _of_file(path: str, looks: PictureSize) -> tuple[str, bytes]:
    kind = KINDS.get(os.path.splitext(path)[1].lower(), "")
    if not kind:
        return "", b""
    if os.path.getsize(path) > LARGEST:
        return "image/png", b"" if kind == KINDS[".svg"] else _drawn(shrink, path, looks.most)
    with open(path, "rb") as file:
        return kind, file.read()


def _drawn(function: Any, *args: Any) -> bytes:
    """Call a function in the process that draws; no picture where that goes wrong."""
    try:
        data: bytes = _artist().submit(function, *args).result(_PATIENCE)
    except Exception:
        _artist.cache_clear()
        return b""
    return data if len(data) <= LARGEST else b""


@cache
def _artist() -> Any:
    """Make the process that draws; it ends when it has had nothing to do for a minute."""
    from joblib.externals.loky import ProcessPoolExecutor

    artist = ProcessPoolExecutor(1, timeout=_IDLE)
    atexit.register(artist.shutdown, wait=False, kill_workers=True)
    return artist


def draw(record: bytes, objects: Objects, dpi: int) -> bytes:
    """Read a figure back and draw it."""
    import matplotlib

    matplotlib.use("Agg")
    resource = model.decode(record)
    assert isinstance(resource, model.ResourceRecord)
    return as_png(content.restore(resource, objects), dpi)


def shrink(path: str, most: tuple[int, int]) -> bytes:
    """Make a large picture small."""
    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(path) as image:
        image.thumbnail(most)
        image.convert("RGBA").save(buffer, "PNG")
    return buffer.getvalue()
