"""What does a call draw from the random generators that all code of a process shares?

Python's ``random`` and NumPy's legacy ``numpy.random`` keep their states in memory, where a look costs less than a
microsecond; each state is looked at before and after a call. A state that a process has from the system's entropy differs
in each process, so such a draw is known by its place instead; whether a state is still that one, or was seeded, is
found by drawing on from where the process began.
"""

from __future__ import annotations

import ctypes
import random
import sys
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any, Protocol

from xxhash import xxh3_128_hexdigest

_WORDS = 624  # Of a Mersenne twister's state; its position is kept beside them.
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

    def is_seeded(self) -> bool:
        """Whether its state is not one that this process has from the system's entropy."""

    def is_new(self) -> bool:
        """Whether nothing was drawn from it since it was imported."""


class _Entropy:
    """Follows a state from where the process began, as far as it was only drawn from."""

    def __init__(self, words: tuple[int, ...], position: int) -> None:
        self._twister = random.Random()
        self._twister.setstate((3, (*words, position), None))

    def reaches(self, words: tuple[int, ...], position: int) -> bool:
        """Whether drawing on leads to a state; the next search begins there."""
        twister, here = self._twister, self._twister.getstate()[1]
        if here[:_WORDS] != words:
            twister.getrandbits(32 * (_WORDS - here[_WORDS]) + 32)  # The rest of the block, and the first of the next.
            if not self._search(words):
                return False
        reached = twister.getstate()[1][_WORDS] <= position
        twister.setstate((3, (*words, position), None))
        return reached

    def _search(self, words: tuple[int, ...]) -> bool:
        wanted, twister = _raw(words), self._twister
        for _ in range(_MOST_BLOCKS):
            found = ctypes.string_at(id(twister) + _HEADER + 4, 4 * _WORDS) if _is_readable() else None
            if (found or _raw(twister.getstate()[1][:_WORDS])) == wanted:
                return True
            twister.getrandbits(32 * _WORDS)
        return False


def _raw(words: tuple[int, ...]) -> bytes:
    return b"".join(word.to_bytes(4, sys.byteorder) for word in words)


@cache
def _is_readable() -> bool:
    """Whether a state lies behind its object's header, as in every CPython so far."""
    own = random.Random(1)
    words = own.getstate()[1]
    return ctypes.string_at(id(own) + _HEADER, 4 * (_WORDS + 1)) == _raw((words[_WORDS], *words[:_WORDS]))


class PythonGenerator:
    """The generator of the module `random`."""

    name = "random"

    def __init__(self, seeded: bool) -> None:
        self._shared: random.Random = random._inst  # type: ignore[attr-defined]
        self._seeded = seeded
        self._place = id(self._shared) + _HEADER if _is_readable() else None
        state = self.state()[1]
        self._entropy = _Entropy(state[:_WORDS], state[_WORDS])

    def mark(self) -> Mark:
        """Return what its state is now."""
        if self._place is None:
            return (self._shared.getstate(),)
        return ctypes.string_at(self._place, 4 * (_WORDS + 1)), self._shared.gauss_next  # type: ignore[attr-defined]

    def state(self) -> Any:
        """Return its state."""
        return self._shared.getstate()

    def restore(self, state: Any) -> None:
        """Put a state back."""
        self._shared.setstate(state)

    def is_seeded(self) -> bool:
        """Whether it was seeded."""
        state = self.state()[1]
        self._seeded = self._seeded or not self._entropy.reaches(state[:_WORDS], state[_WORDS])
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
        self._seeded = type(self._bits).__name__ != "MT19937" or getattr(self._bits, "_seed_seq", None) is None
        if not self._seeded:
            self._first = self._module.MT19937(self._bits._seed_seq).state["state"]
            self._entropy = _Entropy(tuple(map(int, self._first["key"])), int(self._first["pos"]))

    @cached_property
    def _places(self) -> tuple[int, int, int] | None:
        """Where the words are, and the second number of a pair of normal ones, and its length; None if not known."""
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
        rest = id(self._shared) + _HEADER + changed[0]
        return self._bits.ctypes.state_address, rest, changed[-1] - changed[0] + 1

    def mark(self) -> Mark:
        """Return what its state is now."""
        if self._places is None or self._shared._bit_generator is not self._bits:
            return (repr(self.state()),)
        words, rest, length = self._places
        return ctypes.string_at(words, 4 * (_WORDS + 1)), ctypes.string_at(rest, length)

    def state(self) -> Any:
        """Return its state."""
        return self._shared.get_state(legacy=False)

    def restore(self, state: Any) -> None:
        """Put a state back."""
        self._shared.set_state(state)

    def is_seeded(self) -> bool:
        """Whether it was seeded."""
        if not self._seeded:
            state = self.state()
            is_own = state["bit_generator"] == "MT19937" and self._shared._bit_generator is self._bits
            words = state["state"]
            self._seeded = not (is_own and self._entropy.reaches(tuple(map(int, words["key"])), int(words["pos"])))
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

    def is_seeded(self) -> bool:
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
        self._others: dict[str, Generator] = {}
        self._all: list[Generator] = [self._python]

    def marks(self) -> list[Mark]:
        """Return what the states are now."""
        if "numpy.random" in sys.modules and "numpy.random" not in self._others:
            self._add(NumpyGenerator)
        if "torch" in sys.modules and "torch" not in self._others:
            self._add(TorchGenerator)
        return [generator.mark() for generator in self._all]

    def drawn(self, before: list[Mark]) -> list[str]:
        """Name those whose states have changed; one that was imported meanwhile may have been drawn from."""
        now = self.marks()
        changed = [g.name for g, a, b in zip(self._all, before, now, strict=False) if a != b]
        return changed + [generator.name for generator in self._all[len(before) :] if not generator.is_new()]

    def __getitem__(self, name: str) -> Generator:
        return next(generator for generator in self._all if generator.name == name)

    def __contains__(self, name: str) -> bool:
        return any(generator.name == name for generator in self._all)

    def _add(self, kind: Callable[[], Generator]) -> None:
        try:
            generator = kind()
        except Exception:
            return  # It is being imported.
        self._others[generator.name] = generator
        self._all.append(generator)


def token_of(mark: Mark) -> str:
    """Describe a state that was seeded: the same in every process."""
    return xxh3_128_hexdigest(b"\0".join(part if isinstance(part, bytes) else repr(part).encode() for part in mark))
