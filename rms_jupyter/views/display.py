"""How does a resource look in a notebook?  As its value does, under one grey line."""

from __future__ import annotations

import sys
from html import escape
from typing import TYPE_CHECKING, Any

from rms_jupyter.errors import UntrustedContent
from rms_jupyter.fingerprint.preview import preview
from rms_jupyter.harmless import fits_console, harmless
from rms_jupyter.views.figures import forget_figure
from rms_jupyter.views.wording import duration

if TYPE_CHECKING:
    from rms_jupyter.handles.resource import Resource

GREY = "color:var(--jp-ui-font-color2,#6b7280);font-size:var(--jp-ui-font-size1,13px)"
Bundle = dict[str, Any]


def mimebundle(resource: Resource) -> tuple[Bundle, Bundle]:
    """Make the bundle of a resource, as IPython's display protocol asks for it."""
    line = caption(resource)
    record, once = resource._rms.record, resource._rms.is_once
    value = _Named(f"<{record.type}, read it with .content>") if once else _value(resource)
    data, metadata = _format(_Named(record.path) if record.kind == "file" else value)
    if value is None:
        return caption_line(line), {}
    data["text/html"] = f'<div style="{GREY}">{escape(line)}</div>{_as_html(data, metadata)}'
    data["text/plain"] = f"{line}\n{data.get('text/plain', '')}"
    return data, metadata


def _value(resource: Resource) -> Any:
    """The value; of what is not read, how it looked, and why."""
    try:
        return resource._rms_value()
    except UntrustedContent as refusal:
        return _Named(f"{resource._rms.record.preview} ({refusal.message})\n→ {refusal.hint}")


def caption(resource: Resource) -> str:
    """Word the grey line: call, hit or ran, seconds, short id."""
    state = resource._rms
    digest = f"#{state.record.digest[:8]}"
    if state.task is None:
        return f"{harmless(state.record.path)} · {digest}"
    seconds = state.task.seconds
    how = f"from the store, saved {duration(seconds)}" if state.hit else f"ran {duration(seconds)}"
    return f"{resource._rms_call()} · {how} · {digest}"


def from_the_store(call: str) -> Bundle:
    """Make the line above displays that are shown again."""
    return caption_line(f"{call} · from the store")


def caption_line(text: str) -> Bundle:
    """Make a grey line."""
    return {"text/html": f'<div style="{GREY}">{escape(text)}</div>', "text/plain": text}


class _Named:
    """Stands for content that must not be read just to be shown."""

    def __init__(self, text: str) -> None:
        self._text = text

    @fits_console
    def __repr__(self) -> str:
        return harmless(self._text)


def _format(value: Any) -> tuple[Bundle, Bundle]:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return {"text/plain": _text(value)}, {}
    forget_figure(value)
    data, metadata = shell.display_formatter.format(value)
    return dict(data), dict(metadata)


def _text(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        return preview(value)


def _as_html(data: Bundle, metadata: Bundle) -> str:
    if "text/html" in data:
        return str(data["text/html"])
    if "image/svg+xml" in data:
        return str(data["image/svg+xml"])
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            encoded = data[kind] if isinstance(data[kind], str) else _base64(data[kind])
            width = metadata.get(kind, {}).get("width")
            attribute = f' width="{int(width)}"' if width else ""
            return f'<img alt="figure" src="data:{kind};base64,{encoded.strip()}"{attribute}>'
    text = data.get("text/latex") or data.get("text/plain", "")
    return f"<pre>{escape(str(text))}</pre>"


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()
