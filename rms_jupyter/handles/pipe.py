"""What is a registered function to the user?  It is called as before, and each call is recorded."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, Protocol

from rms_jupyter.errors import show_as_of_the_user
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.harmless import fits_console
from rms_jupyter.interrupts import hold, let_go
from rms_jupyter.model import Contract
from rms_jupyter.run.call.body import Body
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.task.depth import back, deeper
from rms_jupyter.run.task.further import Asked, Later, PlainPipe
from rms_jupyter.run.task.stand_in import StandsForFunction
from rms_jupyter.run.task.streams import captured_here

P = ParamSpec("P")


class Caller(Protocol):
    """What a pipe asks of the session."""

    def call(self, pipe: Pipe[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Answer a call."""

    def lookup(self, pipe: Pipe[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Find the resource of a call that would be a hit."""

    def clear(self, pipe: Pipe[Any], dependants: bool = False) -> Any:
        """Delete all results of a pipe."""

    def pipe(self, function: Callable[..., Any], /, **options: Any) -> Pipe[Any]:
        """Make a function a pipe."""


class Pipe(StandsForFunction, Generic[P]):
    """A function whose calls are recorded and answered from the store.

    Parameters
    ----------
    definition : Definition
    caller : callable
        Gives the session that answers now: a pipe outlives the session it was made in.

    Attributes
    ----------
    func : callable
        The plain function.
    name : str
    """

    own_attributes = frozenset({"_caller", "_definition", "func", "name"})

    def __init__(self, definition: Definition, caller: Callable[[], Caller]) -> None:
        self._caller = caller
        self.change(definition)

    def change(self, definition: Definition) -> None:
        """Give the pipe another contract or output function."""
        self._definition = definition
        self.name = definition.name
        self.stand_for(definition.function)

    def told_anew(self) -> None:
        """Bind arguments as the function takes them now."""
        self._definition.bind_as_now()

    @property
    def contract(self) -> Contract:
        """What the pipe declares."""
        return self._definition.contract

    @property
    def body(self) -> Body:
        """What it runs."""
        return self._definition.body

    @property
    def output_function(self) -> Callable[..., Any] | None:
        """Gives the paths that a call will write."""
        return self._definition.output_function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Answer the call from the store, or run the function and record it; within a running pipe, just call it."""
        __tracebackhide__ = True
        try:
            if captured_here() is None:
                begins = hold()
                try:
                    return self._caller().call(self, args, kwargs)
                finally:
                    if begins:
                        let_go()
            function = self._alone if deeper() and self._is_found_by_its_name() else self.func
            try:
                if SCALARS.issuperset(map(type, args)) and not kwargs:
                    return function(*args)
                return function(*unwrap(list(args)), **unwrap(kwargs))
            finally:
                back()
        except TypeError as error:  # Arguments that do not fit.
            show_as_of_the_user(error)
            raise

    def _is_found_by_its_name(self) -> bool:
        return getattr(self.func, "__globals__", {}).get(self.__name__) is self

    def _alone(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function deep inside a recursion: it finds itself, not this, by its name until it returns."""
        __tracebackhide__ = True
        names, name = self.func.__globals__, self.__name__
        try:
            names[name] = self.func
            return self.func(*args, **kwargs)
        finally:
            if name in names and names[name] is self.func:  # Without a call, nothing can come in between.
                names[name] = self

    def lookup(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return the resource that would answer a call; None if the call would run. Nothing runs.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def half(x):
        ...     return x / 2
        >>> half.lookup(3) is None, half(3), half.lookup(3).content
        (True, 1.5, 1.5)
        >>> s.close()
        """
        return self._caller().lookup(self, args, kwargs)

    def clear(self, dependants: bool = False) -> Any:
        """Delete all results of this pipe; what was made from them, too, if `dependants` is given.

        Raises
        ------
        RmsError
            If something that is current was made from them, and `dependants` is not given.
        """
        return self._caller().clear(self, dependants)

    @property
    def plot(self) -> Callable[..., Any]:
        """Make a function a pipe that draws what this one gives; what is returned takes the arguments of this one.

        Calculation and drawing are two tasks: where only the drawing was changed, the calculation is not repeated.
        A function that has a ``plot`` of its own keeps it.

        Parameters
        ----------
        function : callable
            Takes a value of this pipe.
        **options
            Of the pipe that draws, as ``@rms.pipe`` takes them.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def powers(n):
        ...     return [k**n for k in range(5)]
        >>> bars = powers.plot(lambda powers: " ".join("#" * (k + 1) for k in powers), name="bars")
        >>> bars(1)
        '# ## ### #### #####'
        >>> len(s.tasks())
        2
        >>> s.close()
        """
        own: Callable[..., Any] | None = getattr(self.func, "plot", None)
        return own or self._plot

    @plot.setter
    def plot(self, value: Any) -> None:
        self.func.plot = value  # type: ignore[attr-defined]

    def _plot(self, function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
        if function is None:
            return lambda f: self._plot(f, **options)
        drawing = self._caller().pipe(function, **options)

        @functools.wraps(function)
        def drawn(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            return drawing(self(*args, **kwargs))

        drawn.__signature__ = inspect.signature(self)  # type: ignore[attr-defined]
        drawn.__rms_plain__ = True  # type: ignore[attr-defined]  # In a %%rms cell it stays two calls.
        return drawn

    def later(self, *args: P.args, **kwargs: P.kwargs) -> Later:
        """Ask for a call, for a running task to return: its result takes the place of the task's own.

        Examples
        --------
        >>> import rms_jupyter as rms
        >>> @rms.pipe
        ... def count(n):
        ...     return n
        >>> count.later(3)
        Later(calls=(Asked(pipe='count', args=(3,), kwargs={}),), is_list=False)
        """
        self._definition.binder.bind(*args, **kwargs)
        return Later((Asked(self.name, args, kwargs),))

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @fits_console
    def __repr__(self) -> str:
        return f"<pipe {self.name}({', '.join(self._definition.binder.names)})>"

    def __reduce__(self) -> Any:
        return PlainPipe, (self.name, self.func), self.attributes_given()
