"""What does a call draw from the random generators that all code of a process shares?

Python's ``random`` and NumPy's legacy ``numpy.random`` keep their states in memory, where a look costs less than a
microsecond; each state is looked at before and after a call. A state that a process has from the system's entropy
differs in each process, so such a draw is known by its place instead; whether a state is still that one, or was seeded,
is found by drawing on from where the process began.
"""

from __future__ import annotations

import ctypes
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

from xxhash import xxh3_128_hexdigest

_WORDS = 624  # Of a Mersenne twister's state; its position is kept beside them.
_SIZE = 4 * (_WORDS + 1)
_MOST_BLOCKS = 20_000
_HEADER = object.__basicsize__

Mark = tuple[Any, ...]


class Generator(Protocol):
    """A generator that all code shares."""

    name: str

    def mark(self) -> Mark:
        """Return what its state is now, at next to no cost."""

    def state(self) -> Any:
        """Return its state, as `restore` takes it."""

    def restore(self, state: Any) -> None:
        """Put a state back."""

    def is_seeded(self, mark: Mark) -> bool:
        """Whether a state is not one that this process has from the system's entropy."""

    def is_new(self) -> bool:
        """Whether nothing was drawn from it since it was imported."""


class _Entropy:
    """Follows a state from where the process began, as far as it was only drawn from."""

    def __init__(self, words: bytes, position: int) -> None:
        self._twister = random.Random()
        self._set(words, position)

    def reaches(self, words: bytes, position: int) -> bool:
        """Whether drawing on leads to a state; the next search begins there."""
        twister = self._twister
        now, here = self._state()
        if now != words:
            twister.getrandbits(32 * (_WORDS - here) + 32)  # The rest of the block, and the first of the next.
            if not self._search(words):
                return False
        reached = self._state()[1] <= position
        if reached:
            self._set(words, position)
        return reached

    def _search(self, wanted: bytes) -> bool:
        for _ in range(_MOST_BLOCKS):
            if self._state()[0] == wanted:
                return True
            self._twister.getrandbits(32 * _WORDS)
        return False

    def _state(self) -> tuple[bytes, int]:
        if _is_readable():
            raw = ctypes.string_at(id(self._twister) + _HEADER, _SIZE)
            return raw[4:], int.from_bytes(raw[:4], sys.byteorder)
        state = self._twister.getstate()[1]
        return _raw(state[:_WORDS]), state[_WORDS]

    def _set(self, words: bytes, position: int) -> None:
        numbers = [int.from_bytes(words[i : i + 4], sys.byteorder) for i in range(0, len(words), 4)]
        self._twister.setstate((3, (*numbers, position), None))


def _raw(words: Any) -> bytes:
    return b"".join(int(word).to_bytes(4, sys.byteorder) for word in words)


def _memory(address: int, size: int) -> Any:
    return (ctypes.c_char * size).from_address(address)


@cache
def _is_readable() -> bool:
    """Whether a state lies behind its object's header, as in every CPython so far."""
    own = random.Random(1)
    words = own.getstate()[1]
    return ctypes.string_at(id(own) + _HEADER, _SIZE) == _raw((words[_WORDS], *words[:_WORDS]))


class PythonGenerator:
    """The generator of the module `random`."""

    name = "random"

    def __init__(self, seeded: bool) -> None:
        self._shared: Any = random._inst
        self._seeded = seeded
        self._memory = _memory(id(self._shared) + _HEADER, _SIZE) if _is_readable() else None
        state = self.state()[1]
        self._entropy = _Entropy(_raw(state[:_WORDS]), state[_WORDS])

    def mark(self) -> Mark:
        """Return what its state is now."""
        if self._memory is None:
            return (repr(self._shared.getstate()),)
        return self._memory.raw, self._shared.gauss_next

    def state(self) -> Any:
        """Return its state."""
        return self._shared.getstate()

    def restore(self, state: Any) -> None:
        """Put a state back."""
        self._shared.setstate(state)

    def is_seeded(self, mark: Mark) -> bool:
        """Whether a state was seeded."""
        raw = mark[0]
        known = not self._seeded and isinstance(raw, bytes)
        self._seeded = not (known and self._entropy.reaches(raw[4:], int.from_bytes(raw[:4], sys.byteorder)))
        return self._seeded

    def is_new(self) -> bool:
        """Whether nothing was drawn from it: not known, it is there from the start."""
        return False


class NumpyGenerator:
    """NumPy's legacy generator: what ``numpy.random.normal`` and its like draw from."""

    name = "numpy.random"

    def __init__(self) -> None:
        self._module: Any = sys.modules["numpy.random"]
        self._shared: Any = self._module.mtrand._rand
        self._bits = self._shared._bit_generator
        self._memory = self._find()
        self._seeded = type(self._bits).__name__ != "MT19937" or getattr(self._bits, "_seed_seq", None) is None
        if not self._seeded:
            self._first = self._module.MT19937(self._bits._seed_seq).state["state"]
            self._entropy = _Entropy(_raw(self._first["key"]), int(self._first["pos"]))

    def _find(self) -> tuple[Any, Any] | None:
        """Find the words, and the second number of a pair of normal ones, in memory; None where that is not known."""
        if type(self._bits).__name__ != "MT19937":
            return None
        own = self._module.RandomState(1)
        size = type(own).__basicsize__ - _HEADER
        before = ctypes.string_at(id(own) + _HEADER, size)
        own.standard_normal()
        after = ctypes.string_at(id(own) + _HEADER, size)
        changed = [i for i in range(size) if before[i] != after[i]]
        if not changed:
            return None
        rest = _memory(id(self._shared) + _HEADER + changed[0], changed[-1] - changed[0] + 1)
        return _memory(self._bits.ctypes.state_address, _SIZE), rest

    def mark(self) -> Mark:
        """Return what its state is now."""
        if self._memory is None or self._shared._bit_generator is not self._bits:
            return (repr(self.state()),)
        words, rest = self._memory
        return words.raw, rest.raw

    def state(self) -> Any:
        """Return its state."""
        return self._shared.get_state(legacy=False)

    def restore(self, state: Any) -> None:
        """Put a state back."""
        self._shared.set_state(state)

    def is_seeded(self, mark: Mark) -> bool:
        """Whether a state was seeded."""
        raw = mark[0]
        known = not self._seeded and isinstance(raw, bytes)
        self._seeded = not (known and self._entropy.reaches(raw[:-4], int.from_bytes(raw[-4:], sys.byteorder)))
        return self._seeded

    def is_new(self) -> bool:
        """Whether nothing was drawn from it, and it was not seeded."""
        now = self.state()["state"]
        return not self._seeded and now["pos"] == self._first["pos"] and bool((now["key"] == self._first["key"]).all())


class TorchGenerator:
    """PyTorch's generator for the processor."""

    name = "torch"

    def __init__(self) -> None:
        self._torch: Any = sys.modules["torch"]

    def mark(self) -> Mark:
        """Return what its state is now."""
        return (self._torch.get_rng_state().numpy().tobytes(),)

    def state(self) -> Any:
        """Return its state."""
        return self._torch.get_rng_state().numpy()

    def restore(self, state: Any) -> None:
        """Put a state back."""
        self._torch.set_rng_state(self._torch.from_numpy(state))

    def is_seeded(self, mark: Mark) -> bool:
        """Whether it was seeded: its first seed is fixed where nobody has chosen one."""
        return True

    def is_new(self) -> bool:
        """Whether nothing was drawn from it: not known."""
        return False


class SharedGenerators:
    """All generators that the code of this process shares and that are imported.

    Parameters
    ----------
    may_be_seeded : callable
        Whether code that ran before now may have seeded Python's generator.
    """

    def __init__(self, may_be_seeded: Callable[[], bool]) -> None:
        self._python = PythonGenerator(may_be_seeded())
        self._awaited = set(_KINDS)
        self._all: list[Generator] = [self._python]

    def marks(self) -> list[Mark]:
        """Return what the states are now."""
        if self._awaited:
            for name in self._awaited & sys.modules.keys():
                self._add(name)
        return [generator.mark() for generator in self._all]

    def drawn(self, before: list[Mark]) -> dict[str, Mark | None]:
        """Find those whose states have changed, and what they were; None where it was imported only since."""
        now = self.marks()
        if now == before:
            return {}
        changed: dict[str, Mark | None] = {g.name: a for g, a, b in zip(self._all, before, now, strict=False) if a != b}
        return changed | {g.name: None for g in self._all[len(before) :] if not g.is_new()}

    def marks_by_name(self) -> dict[str, Mark]:
        """Return what the states are now, by name."""
        states = self.marks()
        return {generator.name: mark for generator, mark in zip(self._all, states, strict=True)}

    def mark_of(self, name: str) -> Mark | None:
        """Return what the state of one is now; None if it is not imported."""
        self.marks()
        return self[name].mark() if name in self else None

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Put the states back after what is run meanwhile: it is not part of what the notebook computes."""
        self.marks()
        before = [(generator, generator.state()) for generator in self._all]
        try:
            yield
        finally:
            for generator, state in before:
                generator.restore(state)

    def __getitem__(self, name: str) -> Generator:
        return next(generator for generator in self._all if generator.name == name)

    def __contains__(self, name: str) -> bool:
        return any(generator.name == name for generator in self._all)

    def _add(self, name: str) -> None:
        try:
            self._all.append(_KINDS[name]())
        except Exception:
            return  # It is being imported.
        self._awaited.discard(name)


_KINDS: dict[str, Callable[[], Generator]] = {"numpy.random": NumpyGenerator, "torch": TorchGenerator}


def token_of(mark: Mark) -> str:
    """Describe a state that was seeded: the same in every process."""
    return xxh3_128_hexdigest(b"\0".join(part if isinstance(part, bytes) else repr(part).encode() for part in mark))
