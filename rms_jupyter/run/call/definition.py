"""What is a pipe, ready to be called?  A body, what it declares, and the code version it would run now."""

from __future__ import annotations

import datetime
import difflib
import dis
import inspect
import os
import re
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path, PurePath
from string import Formatter
from types import CodeType
from typing import Any

import msgspec

from rms_jupyter.errors import RegistrationError
from rms_jupyter.fingerprint.annotations import file_roles
from rms_jupyter.fingerprint.calls import Role
from rms_jupyter.fingerprint.code import CodeVersion, describe, name_of
from rms_jupyter.fingerprint.files import FileRule
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.fingerprint.values import digest, tagged
from rms_jupyter.model import Contract, Reference
from rms_jupyter.run.call.amounts import bytes_of, seconds_of
from rms_jupyter.run.call.body import Body, FunctionBody
from rms_jupyter.run.call.demand import Demand
from rms_jupyter.run.call.fresh_entropy import draws_afresh
from rms_jupyter.run.call.late_binding import refuse_late_binding
from rms_jupyter.run.call.named_options import refuse_unknown
from rms_jupyter.run.task.coroutines import gives_coroutine

OutputFunction = Callable[..., Any]

_SEVERAL = ("outputs", "ignore", "secret", "invariants")


class Definition:
    """A registered function, or another body.

    Parameters
    ----------
    body : Body or callable
        What runs.
    contract : Contract
        What it declares.
    output_function : callable, optional
        Takes the same arguments and gives the paths that will be written.

    Raises
    ------
    RegistrationError
        If it cannot be a pipe; the message says why.
    """

    def __init__(
        self, body: Body | Callable[..., Any], contract: Contract, output_function: OutputFunction | None = None
    ) -> None:
        self.body = body if isinstance(body, Body) else FunctionBody(body)
        self.name = contract.name or self.body.name
        function = self.body.function
        _refuse_unfit(function, self.name)
        refuse_late_binding(function)
        self.function, self.contract, self.output_function = function, contract, output_function
        self.binder = self.body.binder
        self.roles: Mapping[str, Role] = file_roles(function)
        self.module = getattr(function, "__module__", "") or ""
        self.makes_generator = inspect.isgeneratorfunction(inspect.unwrap(function))
        self.volatile = contract.volatile or self.makes_generator
        self.is_async = gives_coroutine(function)
        self.gives_resource = contract.returns == "resource"
        self.is_isolated = contract.isolate or contract.timeout > 0
        self.file_rule: FileRule = _FILE_RULES[
            "file_time" in contract.invariants, "file_checksum" in contract.invariants
        ]
        # What a task asks for; nothing if any number of them can go into a batch on one core.
        is_usual = contract.cores == 1 and not contract.memory and not self.is_isolated
        self.demand = None if is_usual else Demand(contract.cores, contract.memory)
        self.has_outputs = bool(contract.outputs or output_function) or "out" in self.roles.values()
        self.is_simple = not (
            contract.ignore or contract.secret or self.roles or self.has_outputs or contract.expires_after
        )
        self.draws_afresh = self.may_change_process = self.opens_figures = self.registers = False
        self.opens_handles = self.uses_handles = False
        self._version: CodeVersion | None = None
        self._epoch: object = None
        self._lock = threading.Lock()
        _refuse_unknown_outputs(self)
        refuse_unknown(self.name, self.body, contract.ignore, self.binder.names, "ignore")
        refuse_unknown(self.name, self.body, contract.secret, self.binder.names, "keep secret")

    @cached_property
    def is_procedure(self) -> bool:
        """Whether the function returns nothing, wherever it ends."""
        if not isinstance(self.body, FunctionBody):
            return True
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        return code is not None and code.co_name != "<lambda>" and not code.co_flags & _GIVES and _returns_none(code)

    def version(self, epoch: object) -> CodeVersion:
        """Describe the code as it would run now.

        It is described anew when `epoch` (the notebook cell) is another than last time, or something it refers to was
        rebound or mutated.
        """
        version = self._version
        if version is not None and epoch is self._epoch and version.holds():
            return version
        with self._lock:
            self.bind_as_now()
            self._version, self._epoch = self._describe(), epoch
            self.opens_figures = any(map(_OPENS_FIGURES.search, self._version.sources.values()))
            self.draws_afresh = draws_afresh(self._version.sources)
            self.registers = any(map(_REGISTERS.search, self._version.sources.values()))
            self.opens_handles = any(map(_OPENS_HANDLES.search, self._version.sources.values()))
            self.uses_handles = any(map(_USES_HANDLES.search, self._version.sources.values()))
            is_reached_otherwise = self._version.looked_up_by_text or self._version.assigned or self.registers
            self.may_change_process = bool(is_reached_otherwise or self.opens_handles or self.uses_handles) or any(
                map(_CHANGES_PROCESS.search, self._version.sources.values())
            )
            return self._version

    def bind_as_now(self) -> None:
        """Bind arguments as the function takes them now, whose defaults (`f.__defaults__`) can be exchanged."""
        if isinstance(self.body, FunctionBody) and not self.binder.is_of(self.function):
            self.binder, self._version = self.body.binder, None

    def declared_outputs(self, values: tuple[Any, ...]) -> list[str]:
        """Paths that a call with these bound values declares to write, in declared order."""
        if not self.has_outputs:
            return []
        paths: list[str] = []
        values = tuple(unwrap(value, _path_or_value) for value in values)
        if self.contract.outputs:
            arguments = dict(zip(self.binder.names, values, strict=True))
            for output in self.contract.outputs:
                paths += _as_paths(arguments[output]) if output in arguments else [_fill(output, arguments)]
        else:
            for name, value in zip(self.binder.names, values, strict=True):
                if self.roles.get(name) == "out" and value is not None:
                    paths += _as_paths(value)
        if self.output_function is not None:
            args, kwargs = self.binder.call_arguments(values)
            paths += _as_paths(self.output_function(*args, **kwargs))
        return list(dict.fromkeys(paths))

    def ignored_files(self) -> list[str]:
        """Return the absolute paths that ignored globals, and variables around the function, hold."""
        if not self.contract.ignore or not isinstance(self.body, FunctionBody):
            return []
        try:
            around = inspect.getclosurevars(inspect.unwrap(self.function))
        except (TypeError, ValueError):
            return []  # No Python function, or a variable that is not set yet.
        values = [{**around.globals, **around.nonlocals}.get(name) for name in self.contract.ignore]
        return [os.path.abspath(value) for value in values if isinstance(value, (str, PurePath))]

    def _describe(self) -> CodeVersion:
        version = self.body.describe(self.contract.ignore)
        if self.output_function is not None:
            outputs = describe(self.output_function, self.contract.ignore)
            version.parts |= {f"outputs: {name}": part for name, part in outputs.parts.items()}
            version.digest = tagged("with outputs", [version.digest, outputs.digest])
        if self.contract.version:
            version.parts = {"version": self.contract.version}
            version.digest = digest(self.contract.version)
        elif "function" not in self.contract.invariants:
            version.parts, version.digest = {}, tagged("any code", [])
        if "parameter" not in self.contract.invariants:
            version.reads = []
        return version


# Words of code that may change how the process stands: only such calls are looked at closely.
_CHANGES_PROCESS = re.compile(
    r"\b(environ|putenv|unsetenv|load_dotenv|chdir|sys\.path|rcParams|rc|rcdefaults|set_theme|set_style|set_context|"
    r"style\.use|set_option|reset_option|options|seterr|set_printoptions|filterwarnings|simplefilter|setrecursionlimit|"
    r"setlocale|basicConfig|setLevel|addHandler|getcontext|setcontext|disable|enable|set_threshold|umask|tzset|"
    r"set_config|set_options|config\.set|field_size_limit|setdefaulttimeout|setswitchinterval|"
    r"set_int_max_str_digits|set_fmt_float|set_tbl_\w+|default_cosmology|templates|"
    r"theme\.\w+|colormaps)\b"
    r"|\bsignal\.(signal|alarm|setitimer)\b|\bSIG[A-Z]+"
)
_REGISTERS = re.compile(
    r"^(?!\s*@).*(\.register\(|\b(un)?register_\w+\(|\badd_type\(|\bcopyreg\.pickle\(|"
    r"\bweakref\.finalize\(|(?<![\w.])finalize\()",
    re.MULTILINE,
)
# Files, pipes and sockets as small numbers: they are good for one process, and have a place at which they are read.
_OPENS_HANDLES = re.compile(
    r"\bos\.(pipe2?|open|openpty|dup2?|memfd_create|eventfd)\(|\bmkstemp\(|\.(fileno|detach)\(\)"
)
_USES_HANDLES = re.compile(
    r"\bos\.(p?readv?|p?writev?|lseek|sendfile|fdopen|close|ftruncate|set_blocking)\((?!\s*[12]\b)"
)
_OPENS_FIGURES = re.compile(r"\b(subplots|figure|subplot_mosaic)\b")  # Whatever is open: not into the current one.
_GIVES = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


def _returns_none(code: CodeType) -> bool:
    """Whether each ``return`` of a function's byte code returns the constant None."""
    before = None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "RETURN_CONST" and instruction.argval is not None:
            return False
        is_none = before is not None and before.opname == "LOAD_CONST" and before.argval is None
        if instruction.opname == "RETURN_VALUE" and (instruction.is_jump_target or not is_none):
            return False
        before = instruction
    return True


_FILE_RULES: Mapping[tuple[bool, bool], FileRule] = {
    (True, True): "",
    (True, False): "time",
    (False, True): "content",
    (False, False): "path",
}


def _refuse_unfit(function: Any, name: str) -> None:
    if not callable(function):
        below = isinstance(function, classmethod)
        hint = "write @classmethod above @rms.pipe" if below else "register a function: s.register_pipe(function)"
        raise RegistrationError(f"{type(function).__name__} is not callable", hint=hint)
    if inspect.isasyncgenfunction(inspect.unwrap(function)):
        raise RegistrationError(
            f"{name_of(function)} is an async generator, whose items cannot be kept",
            hint="return a list: return [item async for item in ...]",
        )
    if not all(part.isidentifier() or part == "<lambda>" for part in name.split(".")):
        raise RegistrationError(f"{name!r} cannot name a pipe", hint="use letters, digits and underscores")


def _refuse_unknown_outputs(definition: Definition) -> None:
    for output in definition.contract.outputs:
        fields = {field for _, field, _, _ in Formatter().parse(output) if field}
        unknown = {_root(field) for field in fields} - set(definition.binder.names) - _DERIVED
        if unknown:
            raise RegistrationError(
                f"the output {output!r} of {definition.name} uses {', '.join(sorted(unknown))}, which is no argument",
                hint=f"arguments: {', '.join(definition.binder.names)}",
            )


_DERIVED = {"stem", "name", "parent"}


def _root(field: str) -> str:
    return field.partition(".")[0].partition("[")[0]


def _fill(pattern: str, arguments: Mapping[str, Any]) -> str:
    """Fill a pattern from the arguments; ``{stem}``, ``{name}``, ``{parent}`` are those of the first path there."""
    first = next((Path(v) for v in arguments.values() if isinstance(v, (str, Path))), None)
    derived = {part: getattr(first, part) for part in _DERIVED} if first is not None else {}
    plain = {k: str(v) if isinstance(v, Path) else v for k, v in arguments.items()}
    return pattern.format(**{**derived, **plain})


def _as_paths(value: Any) -> list[str]:
    if isinstance(value, (list, tuple)):
        return [path for item in value for path in _as_paths(item)]
    if isinstance(value, dict):
        return [path for item in value.values() for path in _as_paths(item)]
    return [value.__fspath__() if hasattr(value, "__fspath__") else str(value)]


def _path_or_value(reference: Reference) -> Any:
    return reference._rms_ref().path or reference._rms_value()


_SPELLINGS = {"return_volatile": "volatile", "is_deterministic": "deterministic"}  # Those of RMS.


def _memory(text: str) -> int:
    try:
        return bytes_of(text)
    except ValueError:
        raise RegistrationError(f"memory={text!r} is no amount of memory", hint="write '4 GB', or bytes") from None


def _age(span: str | datetime.timedelta) -> float:
    try:
        return seconds_of(span)
    except ValueError:
        raise RegistrationError(
            f"expires_after={span!r} is not a span of time", hint="write '7 days', '12 hours', or seconds"
        ) from None


def contract_of(options: Mapping[str, Any]) -> Contract:
    """Check the options of a pipe.

    Raises
    ------
    RegistrationError
        For an option that does not exist, or a value of the wrong type.
    """
    known = Contract.__struct_fields__
    options = {_SPELLINGS.get(name, name): value for name, value in options.items()}
    for name in options:
        if name not in known:
            near = [f"did you mean {close}? " for close in difflib.get_close_matches(name, known, 1)]
            hint = f"{''.join(near)}options: {', '.join(known)}, output_func"
            raise RegistrationError(f"a pipe has no option {name!r}", hint=hint)
    tidy = {
        k: (v,) if k in ("outputs", "ignore", "secret", "invariants") and isinstance(v, str) else v
        for k, v in options.items()
    }
    if isinstance(memory := tidy.get("memory"), str):
        tidy["memory"] = _memory(memory)
    if isinstance(age := tidy.get("expires_after"), (str, datetime.timedelta)):
        tidy["expires_after"] = _age(age)
    try:
        return msgspec.convert(tidy, Contract)
    except msgspec.ValidationError as error:
        raise RegistrationError(f"pipe option: {error}", hint="see help(rms_jupyter.pipe)") from None
