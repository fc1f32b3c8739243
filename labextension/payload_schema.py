"""What shape has everything that front ends are given?  A JSON schema, of which `make types` makes TypeScript."""

import inspect
import json
from typing import Any, get_type_hints

import msgspec

from rms_jupyter.panel.page import ROWS
from rms_jupyter.panel.questions import ANSWERS, Refusal
from rms_jupyter.session import Session


def schema() -> dict[str, Any]:
    """Describe the answer to every question, and the rows of every table."""
    hints = {question: get_type_hints(answer, localns={"Session": Session}) for question, answer in ANSWERS.items()}
    answers = msgspec.defstruct("Answers", [(question, hint["return"]) for question, hint in hints.items()])
    rows = msgspec.defstruct("Rows", list(ROWS.items()))
    whole = msgspec.defstruct("Payloads", [("answers", answers), ("rows", rows), ("refusal", Refusal)])
    _, structs = msgspec.json.schema_components([whole], ref_template="#/structs/{name}")
    for struct in structs.values():
        _as_written(struct)
    return {**_with_plain_tuples(structs.pop("Payloads")), "structs": _with_plain_tuples(structs)}


def _as_written(struct: dict[str, Any]) -> None:
    """Require what has a default: it may be missing where a struct is read, and never is where one is written."""
    required = set(struct["required"])
    struct["required"] = [name for name, kind in struct["properties"].items() if name in required or "default" in kind]
    if "description" in struct:
        struct["description"] = inspect.cleandoc(struct["description"])


def _with_plain_tuples(part: Any) -> Any:
    """Write tuples as earlier JSON schemas did: json-schema-to-typescript knows no `prefixItems`."""
    if isinstance(part, list):
        return [_with_plain_tuples(one) for one in part]
    if not isinstance(part, dict):
        return part
    plain = {name: _with_plain_tuples(value) for name, value in part.items()}
    if "prefixItems" in plain:
        plain["items"] = plain.pop("prefixItems")
    return plain


print(json.dumps(schema(), indent=2))
