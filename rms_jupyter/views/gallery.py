"""How are many figures shown at a glance?  Each with a small picture, if it is there as it was made."""

from __future__ import annotations

import base64
import io
import os
import re
from html import escape
from typing import TYPE_CHECKING, Any

from rms_jupyter import model
from rms_jupyter.figures.libraries import can_draw, figures_in
from rms_jupyter.naming import short_id
from rms_jupyter.views.figures import FIGURE
from rms_jupyter.views.results import Results

if TYPE_CHECKING:
    from rms_jupyter.handles.resource import Resource

KINDS = {".png": "image/png", ".svg": "image/svg+xml", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
LARGEST = 250_000
_MOST = 20
_DPI = 40
_GRID = re.compile(r"seaborn\.\w+Grid")


class Figures(Results["Resource"]):
    """Figures, the latest first; in a notebook with small pictures of the first ones."""

    def _repr_html_(self) -> str:
        if not self:
            return "<i>(none)</i>"
        cells = "".join(_cell(resource, self._row(resource)) for resource in self[:_MOST])
        more = f"<div>… {len(self) - _MOST:,} more</div>" if len(self) > _MOST else ""
        return f'<div style="display:flex;flex-wrap:wrap;gap:12px">{cells}</div>{more}'


def figure_row(resource: Resource) -> dict[str, Any]:
    """Make the table row of a figure."""
    state = resource._rms
    return {
        "id": state.id,
        "figure": state.record.path or state.record.type,
        "status": state.home.status(state.id) or "current",
        "made by": resource._rms_call() if state.task else "",
    }


def _cell(resource: Resource, row: dict[str, Any]) -> str:
    name = os.path.basename(row["figure"]) or row["figure"]
    lines = [name, row["made by"], short_id(row["id"]) + (f" · {row['status']}" if row["status"] != "current" else "")]
    text = "".join(f"<div>{escape(line).replace('_', '_<wbr>')}</div>" for line in lines)
    picture = _picture(resource) or f"<code>{escape(what_opens(resource._rms.record, row['id']))}</code>"
    return f'<div style="width:220px;overflow-wrap:break-word">{picture}{text}</div>'


def _picture(resource: Resource) -> str:
    """Give the picture as HTML; nothing where it is missing, has changed, is too large or of another kind."""
    try:
        kind, data = _image(resource)
    except Exception:
        return ""
    if not data or len(data) > LARGEST:
        return ""
    style = "max-width:220px;max-height:160px;background:white"
    return f'<img alt="" style="{style}" src="data:{kind};base64,{base64.b64encode(data).decode()}">'


def _image(resource: Resource) -> tuple[str, bytes]:
    record = resource._rms.record
    if record.kind == "file":
        kind = KINDS.get(os.path.splitext(record.path)[1].lower(), "")
        if not kind or not is_as_made(record) or os.path.getsize(record.path) > LARGEST:
            return "", b""
        with open(record.path, "rb") as file:
            return kind, file.read()
    return ("image/png", as_png(resource._rms_value())) if is_drawable(record) else ("", b"")


def is_as_made(record: model.ResourceRecord) -> bool:
    """Tell whether a file has the size and time that it had when it was recorded."""
    found = os.stat(record.path)
    return record.state is not None and (found.st_size, found.st_mtime_ns) == (record.state.size, record.state.mtime_ns)


def is_drawable(record: model.ResourceRecord) -> bool:
    """Tell whether this is a figure that was kept, and that can be drawn here."""
    is_drawn = record.type == FIGURE or _GRID.fullmatch(record.type) or can_draw(record.type)
    return bool(is_drawn and record.format)


def what_opens(record: model.ResourceRecord, ident: int) -> str:
    """Say what is written to see a figure of which there is no picture; '' for a file."""
    return "" if record.kind == "file" else f'rms.current().figures("{short_id(ident)}")[0].content'


def as_png(value: Any, dpi: int = _DPI) -> bytes:
    """Draw a figure, one of matplotlib's small unless more dots are asked for."""
    for library, figure in figures_in(value):
        return library.picture(figure)
    figure, buffer = getattr(value, "figure", value), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight")
    return buffer.getvalue()
