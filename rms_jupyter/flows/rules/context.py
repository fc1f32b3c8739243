"""What do the ``{{ names }}`` of a rule's texts stand for?

Jinja2 fills them in, once, when a rule is made: in a sandbox, and a name that is not in the context is an error. What
is filled into a pattern stands for itself, whatever signs it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.flows.rules.pattern import escape


def rendered(value: Any, context: Mapping[str, Any], is_pattern: bool = False) -> Any:
    """Fill in the texts of a value, in lists and dicts too.

    Raises
    ------
    RmsError
        If a name is not in the context, or a text is not a template.

    Examples
    --------
    >>> rendered({"image": "{{ folder }}/{n:03d}.tif"}, {"folder": "raw"})
    {'image': 'raw/{n:03d}.tif'}
    """
    if isinstance(value, Mapping):
        return {key: rendered(item, context, is_pattern) for key, item in value.items()}
    if type(value) in (list, tuple):
        return [rendered(item, context, is_pattern) for item in value]
    if not isinstance(value, str) or not any(sign in value for sign in ("{{", "{%", "{#")):
        return value
    return _filled(value, context, (lambda part: escape(str(part))) if is_pattern else str)


def _filled(text: str, context: Mapping[str, Any], finalize: Callable[[Any], str]) -> str:
    from jinja2 import StrictUndefined, TemplateError, Undefined, UndefinedError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def final(part: Any) -> Any:
        return part if isinstance(part, Undefined) else finalize(part)  # An undefined one says so when it is written.

    try:
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, finalize=final)
        return environment.from_string(text).render(context)
    except UndefinedError as error:
        there = ", ".join(map(str, context)) or "nothing"
        raise RmsError(f"{text!r}: {error.message}", hint=f"the context has: {there}") from None
    except TemplateError as error:
        raise RmsError(f"{text!r} is not a valid template: {error}", hint="write {{ name }}, as in Jinja2") from None
    except Exception as error:
        raise RmsError(f"{text!r} cannot be filled in: {type(error).__name__}: {error}") from None
