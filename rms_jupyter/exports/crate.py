"""How does the record become a Workflow Run RO-Crate: a folder with files, code, and what was made from what?

It follows the Process Run Crate profile: each call is an action with its code, its inputs and its results. Of one
result it is a Workflow Run Crate, too: the exported script is the workflow.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rms_jupyter.errors import RmsError
from rms_jupyter.exports.recipe import Recipe
from rms_jupyter.exports.scope import Scope, call_of, missing, tidy
from rms_jupyter.exports.script import script_of
from rms_jupyter.store.ask.lineage import Node
from rms_jupyter.version import __version__

_PROCESS = ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5")
_WORKFLOW = ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5")
_RO_WORKFLOW = ("https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0")
_RO_CRATE = "https://w3id.org/ro/crate/1.1"
_TERMS = "https://w3id.org/ro/terms/workflow-run/context"
_SCRIPT, _BESIDE = "workflow.py", "workflow_inputs"
_DONE, _FAILED = "http://schema.org/CompletedActionStatus", "http://schema.org/FailedActionStatus"
_BLOCK = 1 << 20

Ref = dict[str, str]


def write_crate(scope: Scope, folder: Path) -> None:
    """Write a crate into an empty folder."""
    try:
        from rocrate.rocrate import ROCrate
    except ImportError:
        raise missing("rocrate", "an RO-Crate") from None
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(_TERMS)
    _Writer(scope, crate, folder).write()
    crate.metadata.write(folder)


class _Writer:
    def __init__(self, scope: Scope, crate: Any, folder: Path) -> None:
        self._scope, self._crate, self._folder = scope, crate, folder
        self._inputs: dict[int, list[Ref]] = {}
        self._results: dict[int, list[Ref]] = {}
        self._refs: dict[int, Ref] = {}

    def write(self) -> None:
        root, scope = self._crate.root_dataset, self._scope
        root["name"] = tidy(scope.title)
        root["description"] = f"What was computed, from what, by which code, and when (rms_jupyter {__version__})."
        root["license"] = self._entity("#license", "CreativeWork", name="not stated: ask whoever gave you this")
        codes = {ident: self._add_code(ident) for ident in scope.codes}
        requirements = {name: self._add_requirements(name) for name in self._environments()}
        for node in scope.nodes:
            if node.kind != "task":
                self._refs[node.id] = self._add_resource(node)
        self._sort_edges()
        actions = [self._add_action(node, codes, requirements) for node in scope.tasks]
        profiles = [_PROCESS]
        if scope.ident is not None and (workflow := self._add_workflow(requirements)):
            profiles += [_WORKFLOW, _RO_WORKFLOW]
            self._crate.metadata["conformsTo"] = [{"@id": ident} for ident in (_RO_CRATE, _RO_WORKFLOW[0])]
            actions.append(self._add_run(workflow))
        self._add_readme()
        root["mentions"] = actions
        root["conformsTo"] = [self._add_profile(*profile) for profile in profiles]

    # Code ------------------------------------------------------------------------------------------------------------

    def _add_code(self, ident: int) -> Ref:
        code = self._scope.codes[ident]
        path = f"code/{_file_name(code.name)}-{code.version[:8]}.py"
        self._write_text(path, code.text + "\n")
        about = {"name": tidy(code.name), "version": code.version, "programmingLanguage": self._python()}
        return self._file(path, ["File", "SoftwareSourceCode"], **about)

    def _add_workflow(self, requirements: dict[str, Ref]) -> Ref | None:
        """Add the script that makes the result again; None if it cannot be written down."""
        beside = f"{{Path}}(__file__).resolve().parent / {_BESIDE!r}"
        try:
            script = script_of(Recipe(self._scope.store, self._scope.one, self._scope.item), beside)
        except RmsError:
            return None
        self._write_text(_SCRIPT, script.text())
        for name, data in script.files.items():
            self._write_bytes(f"{_BESIDE}/{name}", data)
            self._file(f"{_BESIDE}/{name}", "File", name=tidy(name), description="an input of the workflow")
        about: dict[str, Any] = {"name": tidy(self._scope.title), "programmingLanguage": self._python()}
        about["version"] = _sha256(self._folder / _SCRIPT)[:12]
        about |= {"softwareRequirements": list(requirements.values())}
        workflow = self._file(_SCRIPT, ["File", "SoftwareSourceCode", "ComputationalWorkflow"], **about)
        self._crate.root_dataset["mainEntity"] = workflow
        return workflow

    def _add_run(self, workflow: Ref) -> Ref:
        tasks = self._scope.tasks
        made = {ref["@id"] for refs in self._results.values() for ref in refs}
        inputs = {ref["@id"]: ref for refs in self._inputs.values() for ref in refs if ref["@id"] not in made}
        last = self._scope.circumstances[tasks[-1].id]
        began = min(self._scope.circumstances[task.id].span[0] for task in tasks)
        return self._entity(
            "#run",
            "CreateAction",
            name=tidy(f"all calls that made {self._scope.title}"),
            description=f"{len(tasks)} calls, from the first to the last",
            instrument=workflow,
            object=list(inputs.values()),
            result=self._results.get(tasks[-1].id, []),
            startTime=_at(began),
            endTime=_at(last.span[1]),
            actionStatus=_DONE if tasks[-1].status != "failed" else _FAILED,
        )

    def _add_readme(self) -> None:
        again = f"\nTo make it again: `python {_SCRIPT}`.\n" if (self._folder / _SCRIPT).exists() else ""
        about = "What was made from what is in `ro-crate-metadata.json`; `code/` holds the functions that were called."
        title = " ".join(self._scope.title.split())
        self._write_text("README.md", f"# Provenance\n\n    {title}\n\n{about}\n{again}")
        self._file("README.md", "File", name="README", about={"@id": "./"})

    def _environments(self) -> list[str]:
        found = {where.environment for where in self._scope.circumstances.values()}
        return sorted(name for name in found if name)

    def _add_requirements(self, name: str) -> Ref:
        path = f"environments/{name[:12]}.txt"
        environment = self._scope.store.find_environment(name)
        packages = environment.packages if environment else {}
        self._write_text(path, "".join(f"{package}=={version}\n" for package, version in packages.items()))
        python = environment.python if environment else ""
        return self._file(path, "File", name=f"packages of {python}")

    def _python(self) -> Ref:
        return self._entity("#python", "ComputerLanguage", name="Python", url="https://www.python.org/")

    # Calls -----------------------------------------------------------------------------------------------------------

    def _sort_edges(self) -> None:
        nodes = self._scope.graph.nodes
        for source, target, _ in dict.fromkeys(self._scope.graph.edges):
            if source not in nodes or target not in nodes:
                continue
            if nodes[source].kind == "task":
                self._results.setdefault(source, []).append(self._refs[target])
            elif nodes[target].kind == "task":
                self._inputs.setdefault(target, []).append(self._refs[source])

    def _add_action(self, node: Node, codes: dict[int, Ref], requirements: dict[str, Ref]) -> Ref:
        where = self._scope.circumstances[node.id]
        began, ended = where.span
        commit = f"git commit {where.commit}{', changed since' * where.dirty}" if where.commit else ""
        about: dict[str, Any] = {
            "name": tidy(call_of(node)),
            "description": "; ".join(part for part in (f"on {where.host}, {where.python}", commit) if part),
            "instrument": codes[where.pipe],
            "object": [*self._inputs.get(node.id, []), *self._arguments(node)],
            "result": self._results.get(node.id, []),
            "startTime": _at(began),
            "endTime": _at(ended),
            "actionStatus": _FAILED if where.error else _DONE,
        }
        if where.error:
            about["error"] = tidy(where.error)
        return self._entity(f"#task-{node.id}", "CreateAction", **about)

    def _arguments(self, node: Node) -> list[Ref]:
        return [
            self._entity(
                f"#task-{node.id}-{quote(tidy(name), safe='')}", "PropertyValue", name=tidy(name), value=_plain(value)
            )
            for name, value in {**node.args, **node.globals}.items()
        ]

    # Values and files ------------------------------------------------------------------------------------------------

    def _add_resource(self, node: Node) -> Ref:
        name = tidy(node.preview or node.type or node.kind)
        if node.kind != "file":
            kind = tidy(node.type or node.kind)
            values = {"name": kind, "value": name, "identifier": node.digest}
            return self._entity(f"#resource-{node.id}", "PropertyValue", **values)
        resource = self._scope.store.resource(node.id)
        path, flaw = Path(resource.path), self._scope.files.flaw(resource.path, resource.digest, resource.state)
        about = {"name": tidy(path.name), "alternateName": self._from_project(path), "identifier": node.digest}
        if flaw or not self._scope.with_files:
            about["description"] = f"not in this crate: {flaw or 'left out'}"
            return self._entity(f"#resource-{node.id}", "CreativeWork", **about)
        inside = f"files/{node.id}/{_file_name(path.name)}"
        if path.is_dir():
            shutil.copytree(path, self._folder / inside, symlinks=True)
            return self._part(f"{inside}/", "Dataset", **about)
        (self._folder / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, self._folder / inside)
        return self._file(inside, "File", **about)

    def _from_project(self, path: Path) -> str:
        """Spell a path as from the project's folder, so that a crate does not tell where that lies."""
        project = self._scope.store.layout.root.parent
        return tidy(os.path.relpath(path, project)) if path.is_relative_to(project) else tidy(path.name)

    # Entities --------------------------------------------------------------------------------------------------------

    def _file(self, path: str, kind: str | list[str], **about: Any) -> Ref:
        full = self._folder / path
        encoding = mimetypes.guess_type(path)[0] or "application/octet-stream"
        about |= {"contentSize": str(full.stat().st_size), "sha256": _sha256(full), "encodingFormat": encoding}
        return self._part(path, kind, **about)

    def _part(self, path: str, kind: str | list[str], **about: Any) -> Ref:
        ref = self._entity(path, kind, **about)
        self._crate.root_dataset.append_to("hasPart", ref)
        return ref

    def _entity(self, ident: str, kind: str | list[str], **about: Any) -> Ref:
        from rocrate.model.contextentity import ContextEntity

        said = {name: value for name, value in about.items() if value not in ("", [], None)}
        one = {name: value[0] if isinstance(value, list) and len(value) == 1 else value for name, value in said.items()}
        properties = {"@type": kind} | one
        entity = ContextEntity(self._crate, ident, properties)
        self._crate.add(entity)
        return {"@id": entity.id}

    def _add_profile(self, ident: str, name: str, version: str) -> Ref:
        return self._entity(ident, "CreativeWork", name=name, version=version)

    def _write_text(self, path: str, text: str) -> None:
        self._write_bytes(path, tidy(text).encode())

    def _write_bytes(self, path: str, data: bytes) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _at(time: datetime) -> str:
    return time.isoformat(timespec="seconds")


def _file_name(name: str) -> str:
    """Spell a name so that it is one on any system, and no path.

    Examples
    --------
    >>> _file_name("../a b;é.csv"), _file_name("<lambda>")
    ('a_b__.csv', 'lambda')
    """
    return re.sub(r"[^A-Za-z0-9._-]", "_", name.replace("/", "")).strip("._")[-100:] or "file"


def _plain(value: Any) -> Any:
    return tidy(value) if type(value) is str else value if type(value) in (bool, int, float) else tidy(repr(value))


def _sha256(path: Path) -> str:
    checksum = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            checksum.update(block)
    return checksum.hexdigest()
