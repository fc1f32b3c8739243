"""How is a template filled in without writing code?  In a form: a field for each parameter, and two buttons."""

from __future__ import annotations

import ast
import inspect
from html import escape
from typing import TYPE_CHECKING, Any

from rms_jupyter.errors import RmsError

if TYPE_CHECKING:
    from rms_jupyter.flows.templates.template import Template


def form_of(template: Template) -> Any:
    """Make the form of a template, as a widget."""
    import ipywidgets as widgets

    fields = {name: _field(parameter) for name, parameter in template.signature.parameters.items()}
    output = widgets.Output()
    predict, run = widgets.Button(description="Predict"), widgets.Button(description="Run", button_style="primary")

    def act(what: Any) -> None:
        output.outputs = ()
        try:
            output.append_display_data(what(**{name: _value(field) for name, field in fields.items()}))
        except RmsError as error:
            output.append_stderr(f"{error}\n")

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


def _value(field: Any) -> Any:
    """Read a field; text that is no literal of Python is meant as text."""
    value = field.value
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
