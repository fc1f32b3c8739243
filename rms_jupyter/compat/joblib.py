"""What does code need that was written for `joblib.Memory`?  ``from rms_jupyter.compat.joblib import Memory``.

The calls are those of a store, with all that it knows of them: code of helpers and globals count, files that are named
count by their content, and `%rms lineage` says where a result came from. What differs for that reason: a hit shows
again what the call printed, a call that draws unseeded random numbers draws again, and one of which nothing can be seen
runs each time.
"""

from __future__ import annotations

import datetime
import functools
import inspect
import os
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from joblib.func_inspect import get_func_name
from joblib.memory import expires_after

from rms_jupyter import opening
from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.code import describe
from rms_jupyter.fingerprint.pickling import dumps
from rms_jupyter.handles.resource import Resource
from rms_jupyter.session import Session

__all__ = ["MemorizedFunc", "MemorizedResult", "Memory", "NotMemorizedFunc", "NotMemorizedResult", "expires_after"]

_ALL = "SELECT id FROM tasks WHERE status <> 'deleted'"
Validation = Callable[[dict[str, Any]], bool]


class Memory:
    """Functions whose calls are answered from a store, as `joblib.Memory` has them.

    Parameters
    ----------
    location : path-like, optional
        The store, which becomes the current one; without it, nothing is kept.
    backend : str
        Only ``"local"``.
    mmap_mode, compress, verbose, backend_options
        Taken, and of no consequence: large arrays are mapped, and a notebook says what ran.

    Examples
    --------
    >>> import tempfile
    >>> memory = Memory(tempfile.mkdtemp() + "/cache", verbose=0)
    >>> @memory.cache
    ... def square(x):
    ...     return x ** 2
    >>> square(3), square.check_call_in_cache(3), square.check_call_in_cache(4)
    (9, True, False)
    >>> memory.session.close()
    """

    def __init__(
        self,
        location: str | os.PathLike[str] | None = None,
        backend: str = "local",
        mmap_mode: str | None = None,
        compress: bool | int = False,
        verbose: int = 1,
        backend_options: dict[str, Any] | None = None,
    ) -> None:
        if backend != "local":
            raise RmsError(f"the backend {backend!r} is not known", hint="stores are local; s.push copies them")
        self.location = None if location is None else os.path.abspath(location)
        self.backend, self.mmap_mode, self.compress, self.verbose = backend, mmap_mode, compress, verbose

    @property
    def session(self) -> Session:
        """The open store."""
        if self.location is None:
            raise RmsError("this Memory keeps nothing", hint="give it a location: Memory('cache')")
        path = Path(self.location)
        return opening.opened(path) or opening.open(path)

    def cache(
        self,
        func: Callable[..., Any] | None = None,
        ignore: Sequence[str] | None = None,
        verbose: int | None = None,
        mmap_mode: str | bool | None = False,
        cache_validation_callback: Validation | None = None,
    ) -> Any:
        """Return a function whose calls are answered from the store; without `func`, a decorator.

        Parameters
        ----------
        func : callable, optional
        ignore : list of str, optional
            Arguments that do not count.
        verbose, mmap_mode
            Taken, and of no consequence.
        cache_validation_callback : callable, optional
            Is given ``duration``, ``time`` and ``input_args`` of a result, and says whether it still holds.
        """
        if func is None:
            return functools.partial(
                self.cache, ignore=ignore, verbose=verbose, cache_validation_callback=cache_validation_callback
            )
        if isinstance(func, (MemorizedFunc, NotMemorizedFunc)):
            func = func.func
        if self.location is None:
            return AsyncNotMemorizedFunc(func) if inspect.iscoroutinefunction(func) else NotMemorizedFunc(func)
        kind = AsyncMemorizedFunc if inspect.iscoroutinefunction(func) else MemorizedFunc
        return kind(self, func, tuple(ignore or ()), cache_validation_callback)

    def eval(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function, or answer from the store."""
        return self.cache(func)(*args, **kwargs)

    def clear(self, warn: bool = True) -> None:
        """Delete the results of all calls."""
        if self.location is not None:
            session = self.session
            session.delete_tasks([row[0] for row in session.sql(_ALL).fetchall()], True, False)

    def reduce_size(
        self,
        bytes_limit: int | str | None = None,
        items_limit: int | None = None,
        age_limit: datetime.timedelta | None = None,
    ) -> None:
        """Let go of values until the limits hold: they are computed again when they are asked for."""
        if self.location is not None and (bytes_limit, items_limit, age_limit) != (None, None, None):
            self.session.gc(budget=_size(bytes_limit), items=items_limit, older=age_limit)

    def __repr__(self) -> str:
        return f"Memory(location={self.location})"


class MemorizedFunc:
    """A function whose calls are answered from a store; `Memory.cache` makes it.

    Attributes
    ----------
    func : callable
        The plain function.
    """

    def __init__(
        self, memory: Memory, func: Callable[..., Any], ignore: tuple[str, ...], validation: Validation | None
    ) -> None:
        self._memory, self.func, self.ignore, self.cache_validation_callback = memory, func, ignore, validation
        self._made: tuple[Session, Any] | None = None
        functools.update_wrapper(self, func)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_made": None, "func": dumps(self.func), "__wrapped__": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        func = pickle.loads(state["func"])  # With its source: it has the version that it had.
        vars(self).update(state, func=func, __wrapped__=func)

    @property
    def func_id(self) -> str:
        """Its module and name, as joblib has them."""
        modules, name = get_func_name(self.func)
        return "/".join([*modules, name])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Answer from the store, or call the function."""
        if (found := self._found(args, kwargs)) is not None and not self._holds(found, args, kwargs):
            return self._again(found)
        return self._pipe(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Call the function in any case; returns its value, and ``duration``, ``time`` and ``input_args``."""
        found = self._found(args, kwargs)
        value = self._pipe(*args, **kwargs) if found is None else self._again(found)
        made = self._found(args, kwargs)
        return value, self._metadata(made, args, kwargs) if made is not None else {}

    def call_and_shelve(self, *args: Any, **kwargs: Any) -> MemorizedResult | NotMemorizedResult:
        """Answer from the store, or call the function; returns what stands for the value."""
        value = self(*args, **kwargs)
        found = self._found(args, kwargs)
        return NotMemorizedResult(value) if found is None else MemorizedResult(self._memory, found)

    def check_call_in_cache(self, *args: Any, **kwargs: Any) -> bool:
        """Whether a call would be answered from the store; nothing runs."""
        found = self._found(args, kwargs)
        return found is not None and self._holds(found, args, kwargs)

    def clear(self, warn: bool = True) -> None:
        """Delete the results of all its calls.

        Raises
        ------
        RmsError
            If something that is current was made from them.
        """
        self._pipe.clear()

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __dask_tokenize__(self) -> Any:
        """Say what it is as an input: its code. What a bound method is bound to may hold it, and counts by itself."""
        return "MemorizedFunc", describe(getattr(self.func, "__func__", self.func), self.ignore).digest

    def __repr__(self) -> str:
        return f"MemorizedFunc(func={self.func}, location={self._memory.location})"

    @property
    def _pipe(self) -> Any:
        """The function as a pipe of the store as it is open now."""
        session = self._memory.session
        if self._made is None or self._made[0] is not session:
            self._made = session, session.pipe(self.func, ignore=self.ignore)
        return self._made[1]

    def _found(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Resource | None:
        found: Resource | None = self._pipe.lookup(*args, **kwargs)
        return found

    def _holds(self, found: Resource, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        callback = self.cache_validation_callback
        return callback is None or bool(callback(self._metadata(found, args, kwargs)))

    def _metadata(self, found: Resource, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        binder, task = self._pipe.body.binder, found.task
        given = zip(binder.names, binder.bind(*args, **kwargs), strict=True)
        arguments = {name: repr(value) for name, value in given if name not in self.ignore}
        assert task is not None
        return {"duration": task.seconds, "time": task.started_at + task.seconds, "input_args": arguments}

    def _again(self, found: Resource) -> Any:
        return self._memory.session.rerun(found).content


class AsyncMemorizedFunc(MemorizedFunc):
    """An async function whose calls are answered from a store when they are awaited."""

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Answer from the store, or call the function."""
        if (found := self._found(args, kwargs)) is not None and not self._holds(found, args, kwargs):
            return self._again(found)
        return await self._pipe(*args, **kwargs)

    async def call(  # type: ignore[override]
        self, *args: Any, **kwargs: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Call the function in any case; returns its value, and ``duration``, ``time`` and ``input_args``."""
        found = self._found(args, kwargs)
        value = await self._pipe(*args, **kwargs) if found is None else self._again(found)
        made = self._found(args, kwargs)
        return value, self._metadata(made, args, kwargs) if made is not None else {}

    async def call_and_shelve(  # type: ignore[override]
        self, *args: Any, **kwargs: Any
    ) -> MemorizedResult | NotMemorizedResult:
        """Answer from the store, or call the function; returns what stands for the value."""
        value = await self(*args, **kwargs)
        found = self._found(args, kwargs)
        return NotMemorizedResult(value) if found is None else MemorizedResult(self._memory, found)


class MemorizedResult:
    """Stands for the value of a call, as long as that is kept."""

    def __init__(self, memory: Memory, resource: Resource) -> None:
        self._memory, self._resource = memory, resource

    def get(self) -> Any:
        """Return the value.

        Raises
        ------
        KeyError
            If it was deleted.
        """
        if (task := self._resource.task) is not None and task.status == "deleted":
            raise KeyError(f"{task.call} was deleted")
        return self._resource.content

    def clear(self) -> None:
        """Delete it.

        Raises
        ------
        RmsError
            If something that is current was made from it.
        """
        self._memory.session.delete(self._resource)


class NotMemorizedFunc:
    """A function of a `Memory` that keeps nothing."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = func
        functools.update_wrapper(self, func)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return self.func(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Call it; nothing is known of the call."""
        return self.func(*args, **kwargs), {}

    def call_and_shelve(self, *args: Any, **kwargs: Any) -> NotMemorizedResult:
        """Call it; returns what holds the value."""
        return NotMemorizedResult(self.func(*args, **kwargs))

    def check_call_in_cache(self, *args: Any, **kwargs: Any) -> bool:
        """Return False."""
        return False

    def clear(self, warn: bool = True) -> None:
        """Do nothing."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)


class AsyncNotMemorizedFunc(NotMemorizedFunc):
    """An async function of a `Memory` that keeps nothing."""

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return await self.func(*args, **kwargs)

    async def call(  # type: ignore[override]
        self, *args: Any, **kwargs: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Call it; nothing is known of the call."""
        return await self.func(*args, **kwargs), {}

    async def call_and_shelve(  # type: ignore[override]
        self, *args: Any, **kwargs: Any
    ) -> NotMemorizedResult:
        """Call it; returns what holds the value."""
        return NotMemorizedResult(await self.func(*args, **kwargs))


class NotMemorizedResult:
    """Holds the value of a call that was not kept."""

    def __init__(self, value: Any) -> None:
        self.value, self.valid = value, True

    def get(self) -> Any:
        """Return the value.

        Raises
        ------
        KeyError
            If it was cleared.
        """
        if not self.valid:
            raise KeyError("No value stored.")
        return self.value

    def clear(self) -> None:
        """Let go of it."""
        self.value, self.valid = None, False


def _size(limit: int | str | None) -> int | str | None:
    """Write a size as stores read it: joblib's ``5M`` are 5 MB."""
    return f"{limit}B" if isinstance(limit, str) and limit[-1:] in "KMG" else limit
