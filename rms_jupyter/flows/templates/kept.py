"""How is a template kept in the store?  As a record with the text of its function; the last one of a name counts."""

from __future__ import annotations

import ast
import time

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.flows.templates.text import definition_in
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.store import Store


class KeptTemplates:
    """The templates of a store.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, str] = {}

    def keep(self, name: str, text: str) -> None:
        """Keep a template, unless it is there as it is."""
        if self._kept.get(name) != text and self.texts().get(name) != text:
            changed = time.time_ns() // 1000
            self._store.append(model.TemplateRecord(name, text, changed=changed, k=self._store.next_k()))
        self._kept[name] = text

    def texts(self) -> dict[str, str]:
        """Return the texts by name."""
        return dict(self._store.fetch(sql_text("queries/templates.sql")))

    def text(self, name: str) -> str:
        """Return the text of a template.

        Raises
        ------
        RmsError
            If there is none of this name.
        """
        texts = self.texts()
        if name not in texts:
            hint = f"there are: {', '.join(texts)}" if texts else "@rms.template makes one"
            raise RmsError(f"there is no template {name!r}", hint=hint)
        return texts[name]


def row_of(name: str, text: str) -> dict[str, str]:
    """Return a table row of a template, of which nothing runs: its signature and its documentation's first line."""
    try:
        definition = definition_in(text)
    except RmsError as error:
        return {"template": name, "signature": "", "what it does": error.message}
    first = (ast.get_docstring(definition) or "").partition("\n")[0]
    return {"template": name, "signature": f"{name}({ast.unparse(definition.args)})", "what it does": first}
