"""How does the record look in the words of PROV (W3C)?

Tasks are activities, values and files are entities, kernels are software agents, and code versions are plans.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
from xxhash import xxh3_128_hexdigest

from rms_jupyter.exports.scope import Scope, TaskContext, call_of, missing, tidy
from rms_jupyter.model import CHANGED
from rms_jupyter.store.ask.lineage import Node

_NAMESPACE = "urn:rms-jupyter:"
_MARK, _EXPORTED = "exported", f"{_NAMESPACE}exported:"
_KINDS = {"file": "File", "given": "Given", "value": "Value"}


def prov_json(scope: Scope) -> str:
    """Write PROV-JSON; an unused prefix says that it is as it was written."""
    content = json.loads(_document(scope).serialize(format="json"))
    content.setdefault("prefix", {})[_MARK] = f"{_EXPORTED}{_digest_of(content)}"
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def is_unchanged(text: str) -> bool:
    """Whether PROV-JSON is as it was written by `prov_json`."""
    content = json.loads(text)
    return str(content["prefix"].pop(_MARK, "")) == f"{_EXPORTED}{_digest_of(content)}"


def prov_n(scope: Scope) -> str:
    """Write PROV-N."""
    text: str = _document(scope).get_provn()
    return text + "\n"


def _digest_of(content: Any) -> str:
    return xxh3_128_hexdigest(json.dumps(content, sort_keys=True).encode())


def _document(scope: Scope) -> Any:
    try:
        from prov.model import PROV, Namespace, ProvDocument
    except ImportError:
        raise missing("prov", "this format") from None
    document = ProvDocument()
    ours = Namespace("rms", _NAMESPACE)
    document.add_namespace(ours)
    for code in scope.codes.values():
        attributes = _attributes(label=code.name, source=code.text) | {"prov:type": PROV["Plan"]}
        document.entity(f"rms:code-{code.version}", attributes)
    for kernel, where in {where.kernel: where for where in scope.circumstances.values()}.items():
        attributes = _attributes(host=where.host, python=where.python) | {"prov:type": PROV["SoftwareAgent"]}
        document.agent(f"rms:kernel-{kernel}", attributes)
    for node in scope.nodes:
        if node.kind == "task":
            _add_task(document, node, scope.circumstances[node.id], scope)
        else:
            _add_resource(document, node, ours[_KINDS[node.kind]])
    for source, target, role in sorted(set(scope.graph.edges)):
        if source in scope.graph.nodes and target in scope.graph.nodes:
            _add_edge(document, scope, source, target, role)
    return document


def _add_task(document: Any, node: Node, where: TaskContext, scope: Scope) -> None:
    attributes = _attributes(
        label=call_of(node),
        status=node.status,
        arguments=_as_json(node.args),
        globals=_as_json(node.globals),
        notebook=node.notebook,
        cell=node.cell,
        environment=where.environment,
        commit=where.commit,
        changedSinceCommit=where.dirty,
        error=where.error,
    )
    name = f"rms:task-{node.id}"
    document.activity(name, *where.span, attributes)
    document.wasAssociatedWith(name, f"rms:kernel-{where.kernel}", f"rms:code-{scope.codes[where.pipe].version}")


def _add_resource(document: Any, node: Node, kind: Any) -> None:
    attributes = _attributes(
        label=node.path or node.preview or node.type,
        pythonType=node.type,
        bytes=node.size,
        digest=node.digest,
        status=node.status,
    )
    attributes["prov:type"] = kind
    if node.path:
        attributes["prov:location"] = tidy(node.path)
    document.entity(f"rms:resource-{node.id}", attributes)


def _add_edge(document: Any, scope: Scope, source: int, target: int, role: str) -> None:
    nodes = scope.graph.nodes
    if nodes[source].kind == "task":
        ended = scope.circumstances[source].span[1]
        document.wasGeneratedBy(f"rms:resource-{target}", f"rms:task-{source}", ended)
    elif nodes[target].kind == "task":
        attributes = {"prov:role": tidy(role)} if role else {}
        document.used(f"rms:task-{target}", f"rms:resource-{source}", other_attributes=attributes)
    else:
        document.wasDerivedFrom(
            f"rms:resource-{target}", f"rms:resource-{source}", other_attributes={"prov:label": role or CHANGED}
        )


def _attributes(label: str = "", **ours: Any) -> dict[str, Any]:
    """Attributes of ours, those left out that say nothing."""
    found = {f"rms:{name}": tidy(value) if type(value) is str else value for name, value in ours.items() if value}
    return found | ({"prov:label": tidy(re.sub(r"\s+", " ", label))} if label else {})


def _as_json(values: dict[str, Any]) -> str:
    return msgspec.json.encode(values).decode() if values else ""
