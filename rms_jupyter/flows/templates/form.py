"""How is a template filled in without writing code?  In a form: a field for each parameter, and two buttons."""

from __future__ import annotations

import ast
import inspect
from html import escape
from typing import TYPE_CHECKING, Any

from rms_jupyter.errors import RmsError
from rms_jupyter.views.wording import exception_line

if TYPE_CHECKING:
    from rms_jupyter.flows.templates.template import Template


def form_of(template: Template) -> Any:
    """Make the form of a template, as a widget."""
    import ipywidgets as widgets

    fields = {name: _field(own) for name, own in template.signature.parameters.items() if _is_one(own)}
    initially = {name: field.value for name, field in fields.items()}
    output = widgets.Output()
    predict, run = widgets.Button(description="Predict"), widgets.Button(description="Run", button_style="primary")

    def act(what: Any) -> None:
        output.outputs = ()
        try:
            filled = template.signature.bind_partial()
            for name, field in fields.items():
                parameter = template.signature.parameters[name]
                if field.value != initially[name]:
                    filled.arguments[name] = _value(field.value, parameter)
                elif parameter.default is parameter.empty:
                    raise RmsError(f"{name} is empty", hint="fill it in")
            output.append_display_data(what(*filled.args, **filled.kwargs))
        except RmsError as error:
            output.append_stderr(f"{error}\n")
        except Exception as error:
            output.append_stderr(f"{exception_line(error)}\n")

    predict.on_click(lambda _: act(template.simulate))
    run.on_click(lambda _: act(template))
    head = widgets.HTML()
    head.value = f"<b>{escape(template.name)}</b><br>{escape(template.doc)}"
    return widgets.VBox([head, *fields.values(), widgets.HBox([predict, run]), output])


def _field(parameter: inspect.Parameter) -> Any:
    """Make the field that fits a parameter's default."""
    import ipywidgets as widgets

    default = None if parameter.default is parameter.empty else parameter.default
    options: dict[str, Any] = {"description": parameter.name, "style": {"description_width": "initial"}}
    kinds = {bool: widgets.Checkbox, int: widgets.IntText, float: widgets.FloatText}
    if type(default) in kinds:
        return kinds[type(default)](value=default, **options)
    text = default if isinstance(default, str) else "" if default is None else repr(default)
    return widgets.Text(value=text, placeholder="a path, a number, a list, ...", **options)


def _is_one(parameter: inspect.Parameter) -> bool:
    return parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


def _value(value: Any, parameter: inspect.Parameter) -> Any:
    """Read what was filled in; it is text where the parameter takes text, and where it is no literal of Python."""
    takes_text = isinstance(parameter.default, str) or parameter.annotation is str or str(parameter.annotation) == "str"
    if takes_text or not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
