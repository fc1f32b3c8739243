"""What does the text of a template say?  Nothing of it runs before the template is called."""

from __future__ import annotations
import __future__

import ast
import inspect
from collections import ChainMap
from collections.abc import Callable, Collection, Mapping
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.parsing import parse

Known = Callable[[Collection[str]], Mapping[str, Any]]


class AsWritten:
    """An annotation, or a default that is not known before the template is called."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def definition_in(text: str) -> ast.FunctionDef:
    """Return the one function that a template's text defines, without decorators; nothing of it runs.

    Raises
    ------
    RmsError
        If it is not one function.
    """
    if not isinstance(text, str):
        raise RmsError(f"a template is text, not {type(text).__name__}", hint="template.text gives that of one")
    try:
        tree = parse(text)
        compile(tree, "<template>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError) as error:
        where = f"line {error.lineno}: {error.msg}" if isinstance(error, SyntaxError) and error.lineno else str(error)
        raise RmsError(f"this text is not a template: {where}", hint="write one function") from None
    body = tree.body
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef):
        raise RmsError("this text is not a template", hint="write one function, and nothing beside it")
    body[0].decorator_list.clear()
    return body[0]


def function_in(text: str, name: str, known: Known) -> Any:
    """Make the function that a template's text defines; what it refers to is looked up when it is called.

    Parameters
    ----------
    text : str
    name : str
        For tracebacks.
    known : callable
        Gives what is known of some names: pipes, other templates, variables.
    """
    definition = definition_in(text)
    wanted = _names_from_outside(definition)
    scope: dict[str, Any] = {"__name__": "__main__"}

    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        scope.update(known(wanted))
        return _run(definition, f"<template {name}>", scope)(*args, **kwargs)

    call.__signature__, call.__name__ = _signature_of(definition), definition.name  # type: ignore[attr-defined]
    call.__doc__ = ast.get_docstring(definition)
    return call


def known_of(names: Collection[str], *places: Mapping[str, Any]) -> dict[str, Any]:
    """Look names up, in one place after the other."""
    known = ChainMap(*map(dict, places))
    return {name: known[name] for name in names if name in known}


def _run(definition: ast.FunctionDef, file: str, scope: dict[str, Any]) -> Any:
    """Define the function; its annotations stay text."""
    flags = __future__.annotations.compiler_flag
    exec(compile(ast.Module([definition], []), file, "exec", flags, dont_inherit=True), scope)
    return scope[definition.name]


def _signature_of(definition: ast.FunctionDef) -> inspect.Signature:
    """Read the signature; annotations, and defaults that are not literals, stand as they are written."""
    written = definition.args
    positional = [*written.posonlyargs, *written.args]
    defaults = [None] * (len(positional) - len(written.defaults)) + list(written.defaults)
    kinds = inspect.Parameter
    found = [
        _parameter(arg, kinds.POSITIONAL_ONLY if arg in written.posonlyargs else kinds.POSITIONAL_OR_KEYWORD, default)
        for arg, default in zip(positional, defaults, strict=True)
    ]
    found += [_parameter(written.vararg, kinds.VAR_POSITIONAL)] if written.vararg else []
    found += [
        _parameter(arg, kinds.KEYWORD_ONLY, default)
        for arg, default in zip(written.kwonlyargs, written.kw_defaults, strict=True)
    ]
    found += [_parameter(written.kwarg, kinds.VAR_KEYWORD)] if written.kwarg else []
    returns = AsWritten(ast.unparse(definition.returns)) if definition.returns else inspect.Signature.empty
    return inspect.Signature(found, return_annotation=returns)


def _parameter(arg: ast.arg, kind: Any, default: ast.expr | None = None) -> inspect.Parameter:
    annotation = AsWritten(ast.unparse(arg.annotation)) if arg.annotation else inspect.Parameter.empty
    value = _value(default) if default is not None else inspect.Parameter.empty
    return inspect.Parameter(arg.arg, kind, default=value, annotation=annotation)


def _value(default: ast.expr) -> Any:
    try:
        return ast.literal_eval(default)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return AsWritten(ast.unparse(default))


def _names_from_outside(definition: ast.FunctionDef) -> frozenset[str]:
    """Names that the function reads, and does not assign itself; those of Python come by themselves."""
    names = [node for node in ast.walk(definition) if isinstance(node, ast.Name)]
    assigned = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    assigned |= {node.arg for node in ast.walk(definition) if isinstance(node, ast.arg)}
    return frozenset(node.id for node in names if node.id not in assigned)
