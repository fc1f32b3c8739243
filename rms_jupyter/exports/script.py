"""How does a recipe become Python that runs without this package?"""

from __future__ import annotations

import dataclasses
import keyword
from dataclasses import dataclass, field
from typing import Any

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.exports.code import CodeWriting
from rms_jupyter.exports.frame import CHECK_FILES, LOAD_INPUT, head_of, one_line
from rms_jupyter.exports.names import UniqueNames
from rms_jupyter.exports.recipe import Given, MadeByCall, Recipe, Step
from rms_jupyter.exports.values import Values
from rms_jupyter.fingerprint.calls import SECRET
from rms_jupyter.fingerprint.version import ENVIRONMENT
from rms_jupyter.store.content import ARRAYS

_UNSHARED = frozenset({"", "json", *ARRAYS, "txt", "bin", "polars.arrow", "table.arrow"})
_SCAFFOLD = ("result", "INPUTS", "FOLDER", "check_files", "load_input", "display", "annotations", "__name__")


@dataclass
class ExportedScript:
    """An exported script, in parts.

    Attributes
    ----------
    head : str
        What it makes, as plain text.
    setup : str
        Imports and helpers.
    parts : list of str
        Functions, inputs and calls, in order.
    last : str
        The result.
    files : dict of str to bytes
        What must be written beside it.
    """

    head: str = ""
    setup: str = ""
    parts: list[str] = field(default_factory=list)
    last: str = ""
    files: dict[str, bytes] = field(default_factory=dict)

    def text(self) -> str:
        """All of it, as a script."""
        # The encoding stands first: a comment with data in it must not be taken for one.
        comment = "\n".join(f"# {line}".rstrip() for line in ["-*- coding: utf-8 -*-", *self.head.split("\n")])
        last = f'{self.last}\nif __name__ == "__main__":\n    print(result)'
        return "\n\n".join([comment, self.setup, *self.parts, last]) + "\n"


def script_of(recipe: Recipe, beside: str) -> ExportedScript:
    """Write a recipe as a script.

    Parameters
    ----------
    recipe : Recipe
    beside : str
        Python expression for the folder that will hold the input files; '' if there can be none.
    """
    return _Author(recipe, beside).write()


class _Author:
    def __init__(self, recipe: Recipe, beside: str) -> None:
        self._recipe, self._beside = recipe, beside
        reserved = {*_SCAFFOLD, *recipe.code.taken()}
        self._names = UniqueNames(reserved)
        self._imports: dict[tuple[str, str, str], str] = {}
        self._submodules: set[str] = set()
        self._steps = {step.ident: step for step in recipe.steps}
        self._uses = _count_uses(recipe)
        self._values = Values(self._imported, self._stand_in, self._name_of_code)
        self._writing = CodeWriting(self._names, self._imported, self._values.literal, self._assigned, self._add_module)
        self._given: dict[str, str] = {}
        self._globals: dict[str, str] = {}
        self._folder = ""
        self._source_files: dict[str, str] = {}

    def write(self) -> ExportedScript:
        recipe, code = self._recipe, self._recipe.code
        keys = [step.code for step in recipe.steps if step.code and not step.problem]
        ordered = code.in_order(keys + code.object_keys())
        self._name_all(ordered)
        functions = [text for key in ordered if (text := code.text(key, self._writing))]
        givens = [self._given_text(digest) for digest in recipe.given]
        calls = [self._step_text(step) for step in recipe.steps]
        script = ExportedScript(head=head_of(recipe), files=self._values.files)
        script.last = self._last()
        early = [self._early_global(label) for label in self._early_labels(ordered)]
        script.setup = self._setup()
        script.parts = [part for part in [*early, *functions, *givens, *calls] if part]
        script.files |= {name: text.encode() for name, text in self._source_files.items()}
        if script.files and not self._beside:
            raise RmsError(
                f"{recipe.steps[-1].text} has inputs that need files beside the script ({next(iter(script.files))})",
                hint="say where to write it: export(what, dest='script.py')",
            )
        return script

    # Names ---------------------------------------------------------------------------------------------------------

    def _name_all(self, keys: list[str]) -> None:
        """Name first what user code names, so that its texts stay as they are; then our own variables."""
        code = self._recipe.code
        for key in keys:
            for name, ref in code.units[key].names.items():
                if name.startswith("import "):
                    self._submodules.update([ref["import"]] if "import" in ref else [])
                elif "import" in ref and code.units[key].piece.kind in ("function", "class"):
                    self._imported(ref["import"], ref.get("name", ""), name)
                elif "read" in ref:
                    self._names.of(("read", ref["read"]), ref["read"])
        for key in keys:
            code.name(key, self._writing)
        self._names.reserve(code.locals())
        numbers: dict[str, int] = {}
        for step in self._recipe.steps:
            numbers[step.pipe.name] = numbers.get(step.pipe.name, 0) + 1
            wanted = "call" if step.pipe.name == "<lambda>" else step.pipe.name
            self._names.of(("call", step.ident), f"{wanted}_{numbers[step.pipe.name]}")

    def _imported(self, module: str, attribute: str, wanted: str) -> str:
        if wanted == module:
            known = (name for (m, a, _), name in self._imports.items() if (m, a) == (module, attribute))
            if (name := next(known, None)) is not None:
                return name
        key = (module, attribute, wanted)
        if key not in self._imports:
            self._imports[key] = self._names.of(("import", *key), wanted)
        return self._imports[key]

    def _name_of_code(self, value: Any) -> str:
        key = self._recipe.code.key_of(value)
        return self._recipe.code.name(key, self._writing) if key else ""

    def _stand_in(self, value: MadeByCall | Given) -> str:
        if isinstance(value, Given):
            text = self._given_name(value.digest)
            shared = self._uses.get(value, 0) > 1 and self._given[value.digest].isidentifier()
        else:
            step = self._steps[value.task]
            if _is_once(step) and not step.problem:
                return self._call(step)
            text = self._names.of(("call", value.task), step.pipe.name)
            text += f"[{value.item!r}]" if value.item is not None else ""
            shared = self._uses.get(MadeByCall(value.task), 0) > 1 and step.task.out[0].format not in _UNSHARED
            shared = shared and not step.task.out[0].type.startswith("matplotlib")
        return f"{self._imported('copy', '', 'copy')}.deepcopy({text})" if shared else text

    # Texts ---------------------------------------------------------------------------------------------------------

    def _assigned(self, name: str, value: Any) -> str:
        literal = self._values.literal(value)
        return f"{name} = {literal if literal is not None else self._values.from_file(name, value)}"

    def _given_name(self, digest: str) -> str:
        """The name of a given value; short ones stand where they are used."""
        if digest not in self._given:
            called, value = self._recipe.given[digest]
            literal = self._values.literal(value)
            short = literal is not None and len(literal) <= 60
            self._given[digest] = literal if literal and short else self._names.of(("given", digest), called or "given")
        return self._given[digest]

    def _given_text(self, digest: str) -> str:
        name = self._given_name(digest)
        _, value = self._recipe.given[digest]
        if not self._uses.get(Given(digest)) or name == self._values.literal(value):
            return ""
        return f"# Given in the notebook.\n{self._assigned(name, value)}"

    def _add_module(self, name: str, text: str) -> None:
        if self._source_files.setdefault(name, text) != text:
            raise RmsError(
                f"two versions of the local module {name} are imported by functions of this lineage",
                hint="import it at the top of the notebook, not inside of functions, and call them again",
            )

    def _step_text(self, step: Step) -> str:
        name = self._names.of(("call", step.ident), step.pipe.name)
        if step.problem:
            said = f"# {one_line(step.text)} cannot be written down: {one_line(step.problem)}.\n"
            if step.task.out and step.task.out[0].kind == "file":
                return f"{said}# Its files are used as they are."
            return f"{said}# Its value is loaded as it was recorded.\n{self._assigned(name, step.value)}"
        lines = self._moved(step) + [self._global_text(label, value) for label, value in step.globals.items()]
        if not _is_once(step) or step.ident == self._recipe.root:
            lines.append(f"{name} = {self._call(step)}")
        return "\n".join(filter(None, lines))

    def _moved(self, step: Step) -> list[str]:
        """Go to the folder where a call ran, if it has anything to do with files."""
        if not self._touches_files(step) or not step.folder or step.folder == self._folder:
            return []
        first = not self._folder
        self._folder = step.folder
        if first:
            return [
                f"FOLDER = {step.folder!r}  # Where the calls ran: relative paths start here.",
                f"{self._os()}.chdir(FOLDER)",
            ]
        return [f"{self._os()}.chdir({step.folder!r})"]

    def _touches_files(self, step: Step) -> bool:
        return bool(step.task.files) or any(out.kind == "file" for out in step.task.out)

    def _global_text(self, label: str, value: Any) -> str:
        if label.startswith(ENVIRONMENT) and str(value).startswith(SECRET):
            return ""  # It is as it is where the script runs.
        if label.startswith(ENVIRONMENT):
            return f"{self._os()}.environ[{label.removeprefix(ENVIRONMENT)!r}] = {value!r}"
        text = self._expression(self._names.of(("read", label), label), value)
        if self._globals.get(label) == text:
            return ""
        self._globals[label] = text
        targets = [self._names.of(("read", label), label), *self._attributes(label)]
        return f"{' = '.join(targets)} = {text}"

    def _attributes(self, label: str) -> list[str]:
        """The places in local modules where a global stands."""
        code = self._recipe.code
        return [
            f"{code.name(key, self._writing)}.{name}"
            for key, unit in code.units.items()
            if unit.piece.kind == "module"
            for name, ref in unit.names.items()
            if ref.get("read") == label
        ]

    def _early_labels(self, keys: list[str]) -> list[str]:
        """Globals that are read when a function or class is defined."""
        units = [self._recipe.code.units[key] for key in keys]
        found = (ref["read"] for u in units for name, ref in u.names.items() if "read" in ref and name in u.early)
        return list(dict.fromkeys(found))

    def _early_global(self, label: str) -> str:
        value = next((step.globals[label] for step in self._recipe.steps if label in step.globals), None)
        literal = self._values.literal(value)
        return f"{self._names.of(('read', label), label)} = {literal}" if literal is not None else ""

    def _expression(self, wanted: str, value: Any) -> str:
        literal = self._values.literal(value)
        if literal is not None:
            return literal
        number = sum(name.startswith(f"{wanted}.") for name in self._values.files)
        return self._values.from_file(f"{wanted}_{number + 1}" if number else wanted, value)

    def _call(self, step: Step) -> str:
        positional = any(kind == "VAR_POSITIONAL" and value for _, kind, value in step.arguments)
        pieces = []
        for name, kind, value in step.arguments:
            if kind == "VAR_POSITIONAL":
                pieces += [self._expression(name, item) for item in value]
            elif kind == "VAR_KEYWORD":
                pieces += self._keywords(name, value)
            else:
                text = self._expression(self._names.of(("argument", step.ident, name), name), value)
                plain = kind == "POSITIONAL_ONLY" or (positional and kind != "KEYWORD_ONLY")
                pieces.append(text if plain else f"{name}={text}")
        return f"{self._recipe.code.name(step.code, self._writing)}({', '.join(pieces)})"

    def _keywords(self, name: str, value: Any) -> list[str]:
        if all(key.isidentifier() and not keyword.iskeyword(key) for key in value):
            return [f"{key}={self._expression(key, item)}" for key, item in value.items()]
        return [f"**{self._expression(name, value)}"]

    # Frame ---------------------------------------------------------------------------------------------------------

    def _os(self) -> str:
        return self._imported("os", "", "os")

    def _setup(self) -> str:
        recipe = self._recipe
        helpers = []
        if recipe.files or self._checked_outputs():
            helpers.append(CHECK_FILES.replace("os.", f"{self._os()}."))
        if self._values.unpickles:
            helpers.append(LOAD_INPUT.replace("pickle.", f"{self._imported('pickle', '', 'pickle')}."))
        lines = []
        if self._values.files or self._source_files:
            lines.append(f"INPUTS = {self._beside.format(Path=self._imported('pathlib', 'Path', 'Path'))}")
        if self._source_files:
            lines.append(f"{self._imported('sys', '', 'sys')}.path.insert(0, str(INPUTS))")
        if "display" in recipe.code.taken():
            lines.append("display = globals().get('display', print)")
        if recipe.files:
            lines.append(self._check("check_files", recipe.files))
        imports = ["from __future__ import annotations", "", *self._import_lines()]
        return "\n\n".join(["\n".join(imports).strip(), *(h.rstrip() for h in helpers), "\n".join(lines)]).rstrip()

    def _import_lines(self) -> list[str]:
        lines = {f"import {module}" for module in self._submodules}
        for (module, attribute, _), name in self._imports.items():
            if not attribute:
                lines.add(f"import {module}" if name == module else f"import {module} as {name}")
            elif "." in attribute:
                outer, _, inner = attribute.partition(".")
                lines.add(f"from {module} import {outer} as {name}; {name} = {name}.{inner}")
            else:
                lines.add(f"from {module} import {attribute}" + (f" as {name}" if name != attribute else ""))
        return sorted(lines)

    def _check(self, function: str, files: dict[str, model.ResourceRecord]) -> str:
        rows = "".join(f"    {path!r}: ({f.digest!r}, {f.size}),\n" for path, f in sorted(files.items()))
        return f"{function}({{\n{rows}}})"

    def _checked_outputs(self) -> dict[str, model.ResourceRecord]:
        wanted = self._recipe.result
        paths = [wanted] if isinstance(wanted, str) else list(wanted) if isinstance(wanted, tuple) else []
        return {path: self._recipe.outputs[path] for path in paths if path in self._recipe.outputs}

    def _last(self) -> str:
        recipe = self._recipe
        outputs = self._checked_outputs()
        expected = recipe.expected
        if outputs:
            return f"result = {recipe.result!r}\n{self._check('check_files', outputs)}"
        text = self._names.of(("call", recipe.root), "")
        item = recipe.result.item
        if recipe.names is not None:
            text = f"{{name: {text}[name] for name in {tuple(recipe.names)!r}}}"
        lines = [f"result = {text}" + (f"[{item!r}]" if item is not None else "")]
        known = self._values.literal(expected.value) if expected is not None and expected.format == "json" else None
        if known is not None and len(known) <= 200:
            to = f"file={self._imported('sys', '', 'sys')}.stderr"
            lines += [
                f"if repr(result) != repr({known}):",
                f"    print('not as recorded:', repr(result), 'instead of', repr({known}), {to})",
            ]
        return "\n".join(lines)


def _is_once(step: Step) -> bool:
    """Whether the value can be read only once, so that it is made anew for each use."""
    return bool(step.task.out) and step.task.out[0].type == "generator"


def _count_uses(recipe: Recipe) -> dict[Any, int]:
    uses: dict[Any, int] = {}

    def count(value: Any, depth: int = 0) -> None:
        if isinstance(value, (MadeByCall, Given)):
            whole = MadeByCall(value.task) if isinstance(value, MadeByCall) else value
            uses[whole] = uses.get(whole, 0) + 1
        elif depth < 6 and isinstance(value, (list, tuple, set, frozenset, dict)):
            for item in value.values() if isinstance(value, dict) else value:
                count(item, depth + 1)
        elif dataclasses.is_dataclass(value) and depth < 6 and not isinstance(value, type):
            count(vars(value), depth + 1)

    count(recipe.result)
    for step in recipe.steps:
        count([value for _, _, value in step.arguments])
        count(step.globals)
    for unit in recipe.code.units.values():
        count(unit.values)
    return uses
