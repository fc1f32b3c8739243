"""How are imports written so that they give pipes?  As calls of `Session.rmsimport`."""

from __future__ import annotations

import ast

from rms_jupyter.errors import RmsError


def convert_import_str(text: str, session: str = "rms.current()") -> str:
    """Convert imports into assignments of pipes.

    Parameters
    ----------
    text : str
        Lines with ``import`` and ``from``; comments are left out.
    session : str
        What the session is called there.

    Raises
    ------
    RmsError
        If there is anything else in it, or what cannot be imported so: ``*``, or a relative name.

    Examples
    --------
    >>> print(convert_import_str("from genomics import align as a, sort; import biodata.bed as bb; import x.y", "s"))
    a = s.rmsimport(moduleobj='genomics', varname='align')
    sort = s.rmsimport(moduleobj='genomics', varname='sort')
    bb = s.rmsimport(moduleobj='biodata.bed', return_first_module=False)
    x = s.rmsimport(moduleobj='x.y', return_first_module=True)
    """
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError) as error:
        raise RmsError(f"these are not valid imports: {error}", hint="give lines like: from a import b as c") from None
    return "\n".join(line for statement in statements for line in _converted(statement, session))


def _converted(statement: ast.stmt, session: str) -> list[str]:
    if isinstance(statement, ast.Import):
        return [_module(alias, session) for alias in statement.names]
    if not isinstance(statement, ast.ImportFrom):
        raise RmsError(f"line {statement.lineno} is not an import", hint="give only lines with import")
    if statement.level or not statement.module:
        raise RmsError(f"line {statement.lineno} imports by a relative name", hint="write the module's whole name")
    if any(alias.name == "*" for alias in statement.names):
        hint = f"name what you need: from {statement.module} import NAME"
        raise RmsError(f"from {statement.module} import * cannot be converted", hint=hint)
    module = statement.module
    return [
        f"{alias.asname or alias.name} = {session}.rmsimport(moduleobj={module!r}, varname={alias.name!r})"
        for alias in statement.names
    ]


def _module(alias: ast.alias, session: str) -> str:
    name = alias.asname or alias.name.partition(".")[0]
    is_first = alias.asname is None and "." in alias.name
    return f"{name} = {session}.rmsimport(moduleobj={alias.name!r}, return_first_module={is_first})"
