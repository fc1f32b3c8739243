"""How long is the value of a loader (a volatile task) held?  Until the last task of the run that needs it has ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence


class VolatileValues:
    """Lets go of values that nobody waits for any more.

    Parameters
    ----------
    loaders : collection of int
        The volatile tasks of a plan.
    needs : sequence of collections of int
        For each task, the numbers of those it waits for.
    taking_part : iterable of int
        The tasks that run.
    release : callable
        Gets the number of each loader that has served.

    Examples
    --------
    >>> loaders = VolatileValues({0}, [(), (0,), (0,)], range(3), print)
    >>> loaders.served(1)
    >>> loaders.served(2)
    0
    """

    def __init__(
        self,
        loaders: Collection[int],
        needs: Sequence[Collection[int]],
        taking_part: Iterable[int],
        release: Callable[[int], None],
    ) -> None:
        self._release = release
        self._used: dict[int, list[int]] = {}
        self._waiting: Counter[int] = Counter()
        self._by_key: dict[str, list[int]] = {}
        self._alike = {number: [number] for number in loaders}
        if loaders:
            for number in taking_part:
                self._use(number, needs[number])

    def add(self, number: int, needs: Collection[int], is_loader: bool) -> None:
        """Take in a task that was added to the plan."""
        if is_loader:
            self._alike[number] = [number]
        self._use(number, needs)

    def __contains__(self, number: int) -> bool:
        return number in self._alike

    def _use(self, number: int, needs: Collection[int]) -> None:
        used = [need for need in needs if need in self._alike]
        if used:
            self._used[number] = used
            for loader in used:
                self._waiting[self._alike[loader][0]] += 1

    def identify(self, number: int, key: str) -> None:
        """Tell which call a loader makes: those that make the same one share its value."""
        alike = self._by_key.setdefault(key, self._alike[number])
        if number not in alike:
            alike.append(number)
            self._alike[number] = alike
            self._waiting[alike[0]] += self._waiting.pop(number, 0)

    def first_like(self, number: int) -> int:
        """Give the loader that holds the value for all that make the same call."""
        return self._alike[number][0]

    def served(self, number: int) -> None:
        """Note that a task has ended."""
        for loader in self._used.pop(number, ()):
            alike = self._alike[loader]
            self._waiting[alike[0]] -= 1
            if not self._waiting[alike[0]]:
                for one in alike:
                    self._release(one)
