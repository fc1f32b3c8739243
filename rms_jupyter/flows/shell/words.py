"""How does bash get what a command is given?  As variables and arrays: nothing is pasted into the text.

The functions stand in exported scripts as they are here, so they need nothing but Python itself.
"""

from __future__ import annotations


def words_for_bash(name: str, text: str, given: dict[str, object], begin: str = "") -> tuple[list[str], dict[str, str]]:
    """Return the words that run a text, and the variables that it finds.

    A list or tuple becomes an array, which no variable can hold: its items are arguments of bash.

    Parameters
    ----------
    name : str
        What bash calls it in what it says.
    text : str
    given : dict of str to object
        By the names that the text has for them.
    begin : str
        What is done before anything that may fail.

    Examples
    --------
    >>> words, variables = words_for_bash("join", 'paste "${reads[@]}"', {"reads": ["a b", "-c"], "k": 15})
    >>> words[-4:], variables
    (['reads=("${@:1:2}"); paste "${reads[@]}"', 'join', 'a b', '-c'], {'k': '15'})
    """
    variables: dict[str, str] = {}
    items: list[str] = []
    for label, value in given.items():
        if isinstance(value, (list, tuple)):
            begin += f'{label}=("${{@:{len(items) + 1}:{len(value)}}}"); '
            items += [text_for_bash(item) for item in value]
        else:
            variables[label] = text_for_bash(value)
    return ["bash", "-euo", "pipefail", "-c", begin + text, name, *items], variables


def text_for_bash(value: object) -> str:
    """Return what a variable holds for a value; nothing for None and False, so that ``${local:+--local}`` is an option.

    Examples
    --------
    >>> [text_for_bash(value) for value in (15, 0.5, "it's", True, False, None)]
    ['15', '0.5', "it's", '1', '', '']
    """
    if value is None:
        return ""
    return ("1" if value else "") if is_flag(value) else str(value)


def is_flag(value: object) -> bool:
    """Whether a value is True or False, also of NumPy's."""
    return type(value).__name__ in ("bool", "bool_") and not hasattr(value, "__len__")
