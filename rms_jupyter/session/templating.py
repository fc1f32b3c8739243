"""How are templates made, kept, and cut out of a lineage?"""

from __future__ import annotations

import builtins
import keyword
import sys
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import Any

from rms_jupyter.errors import RmsError, UntrustedContent
from rms_jupyter.flows.templates.cut import RecordedStep, text_from
from rms_jupyter.flows.templates.kept import KeptTemplates, row_of
from rms_jupyter.flows.templates.template import Template, template_of
from rms_jupyter.flows.templates.text import definition_in, function_in, known_of
from rms_jupyter.model import TaskRecord
from rms_jupyter.session.core import Core
from rms_jupyter.store.ask.lineage import walk
from rms_jupyter.tend.rerun import Rerun
from rms_jupyter.views.results import Results


class Templating:
    """Templates."""

    def __init__(self, core: Core) -> None:
        self._core, self._store, self._calls = core, core.store, core.calls

    @cached_property
    def _kept_templates(self) -> KeptTemplates:
        return KeptTemplates(self._store)

    def template(self, what: Callable[..., Any] | str) -> Template:
        """Make a function a template, as a decorator: ``@s.template``; or read one that was kept, by its name.

        Parameters
        ----------
        what : callable or str
            A function of parameters that calls pipes, or the name of a template of this store.

        Raises
        ------
        RmsError
            If there is none of this name, or the function has no source.
        UntrustedContent
            If the store was made elsewhere, and is not trusted: a template is code.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def double(x):
        ...     return 2 * x
        >>> @s.template
        ... def quadruple(x):
        ...     return double(double(x))
        >>> len(quadruple.simulate(3)), quadruple(3)
        (2, 12)
        >>> s.close()
        """
        if isinstance(what, str):
            if not self._store.is_trusted:
                raise UntrustedContent(f"the template {what!r} is code from elsewhere", hint="%rms trust, if you do")
            return self._made_from(self._kept_templates.text(what))
        made = template_of(what, lambda: self._core.as_host)
        self.keep_template(made)
        return made

    def templates(self, words: str = "") -> Results[dict[str, str]]:
        """List the templates of the store whose name, signature or documentation has all words."""
        rows = [row_of(name, text) for name, text in self._kept_templates.texts().items()]
        wanted = words.lower().split()
        fitting = [row for row in rows if all(word in " ".join(row.values()).lower() for word in wanted)]
        return Results(fitting, lambda row: row)

    def import_template(self, text: str) -> Template:
        """Take a template in from its text, as `Template.text` has it; it is kept under its function's name.

        Raises
        ------
        RmsError
            If the text is not one function.
        """
        made = self._made_from(text)
        self.keep_template(made)
        return made

    def template_from(self, what: Any, inputs: Sequence[Any], name: str = "") -> Template:
        """Cut a template out of what something was made from: the calls between some inputs and a result.

        Its parameters are the inputs, in this order, and the paths that the calls were given to write to, in the
        order of their files.

        Parameters
        ----------
        what : Resource, value or path-like
            The result.
        inputs : sequence
            Resources, values that carry lineage, or paths; they become parameters.
        name : str, optional
            ``from_`` and the pipe of the result, if not given.

        Raises
        ------
        RmsError
            If the result was not made from an input, a pipe is not defined here, or an argument cannot be written.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/analysis.rms")
        >>> add = s.register_pipe(lambda i, j=1: i + j, name="add")
        >>> first = add(1)
        >>> template = s.template_from(add(first, 5), inputs=[first], name="five_more")
        >>> print(template.text)
        def five_more(i):
            add_result = add(i=i, j=5)
            return add_result
        <BLANKLINE>
        >>> template(10).content
        15
        >>> s.close()
        """
        result, sources = self._core.ident(what), [self._core.ident(own) for own in inputs]
        place, record = self._store.record(result)
        result = place + 1 if result == place and isinstance(record, TaskRecord) else result
        again = Rerun(self._calls, self._core.definition_named, self._core.home.resource)
        tasks = again.between(walk(self._store, result, down=False), set(sources))
        if not tasks:
            raise RmsError("it was not made from any of the inputs", hint="%rms lineage shows what it was made from")
        calls = []
        for ident, task in tasks:
            definition = again.definition(task)
            values = again.arguments(definition, ident, task, tasks, sources)
            calls.append(RecordedStep(ident, task, definition, values))
        name = name or f"from_{calls[-1].definition.name}"
        is_taken = any(call.definition.name == name for call in calls)
        if not name.isidentifier() or keyword.iskeyword(name) or is_taken:
            raise RmsError(f"{name!r} cannot name a template", hint="name='analysis'")
        paths = {source: self._store.resource(source).path for source in sources}
        return self.import_template(text_from(calls, result, paths, name))

    def keep_template(self, template: Template) -> None:
        """Keep a template in the store, under its name."""
        if not self._core.read_only:
            self._kept_templates.keep(template.name, template.text)

    def _made_from(self, text: str) -> Template:
        name = definition_in(text).name
        return Template(name, text, function_in(text, name, self._known_here), lambda: self._core.as_host)

    def _known_here(self, names: Collection[str]) -> dict[str, Any]:
        """Look up pipes, variables of the notebook, and else the templates of this store, by their names."""
        found = known_of(names, self._core.pipes, sys.modules["__main__"].__dict__, vars(builtins))
        if self._store.is_trusted and (unknown := set(names).difference(found)):
            texts = self._kept_templates.texts()
            found |= {name: self._made_from(texts[name]) for name in unknown.intersection(texts)}
        return found
