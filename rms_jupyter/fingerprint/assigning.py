"""Does the text of a cell assign attributes at all?  Asked of each cell before it runs, so with no import but this."""

import re

_MAY_ASSIGN = re.compile(r"\.\w+\s*(\S\S?\s*)?=(?!=)|\.\w+\s*,|\bsetattr\(|\bdelattr\(|^\s*del\s", re.MULTILINE)


def may_assign_attributes(text: str) -> bool:
    """Whether it may be; where it does not look so, it does not.

    Examples
    --------
    >>> may_assign_attributes("constants.c = 3"), may_assign_attributes("print(x)")
    (True, False)
    """
    return _MAY_ASSIGN.search(text) is not None
