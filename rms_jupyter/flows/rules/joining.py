"""Which files belong together, where a rule has several patterns?

Those whose wildcards of the same name have the same values: one file for each pattern. Patterns that share no name are
combined with each other in all ways.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rms_jupyter.flows.rules.pattern import Pattern
from rms_jupyter.working_folder import in_short

Values = Mapping[str, Any]


class Match(NamedTuple):
    """The files of one call, by input, the values of the wildcards in their names, and what another rule has made."""

    files: Mapping[str, str]
    values: Values
    given: Any = None

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it apart from others."""
        return tuple(self.files.values())

    @property
    def shown(self) -> str:
        """What a person knows it by."""
        values = (f"{name}={value!r}" for name, value in self.values.items())
        return " ".join(map(in_short, self.files.values())) or ", ".join(values) or str(self.given)


class Joining:
    """Puts files together as they come.

    Parameters
    ----------
    inputs : mapping of str to sequence of Pattern
        For each input the patterns that its files fit, one of them.

    Examples
    --------
    >>> joining = Joining({"image": [Pattern("/{run}_{n:d}.tif")], "dark": [Pattern("/{run}.dark")]})
    >>> list(joining.add("/a_1.tif")), [match.values for match in joining.add("/a.dark")]
    ([], [{'run': 'a', 'n': 1}])
    """

    def __init__(self, inputs: Mapping[str, Sequence[Pattern]]) -> None:
        self._inputs = inputs
        names = {label: set().union(*(pattern.names for pattern in each)) for label, each in inputs.items()}
        self._found: dict[str, dict[str, Values]] = {label: {} for label in inputs}
        self._shared = {label: sorted(names[label] & _others(names, label)) for label in inputs}
        self._by_shared: dict[str, dict[tuple[Any, ...], list[str]]] = {label: defaultdict(list) for label in inputs}

    @property
    def joins(self) -> bool:
        """Whether a call takes several files."""
        return len(self._inputs) > 1

    @property
    def patterns(self) -> list[Pattern]:
        """All patterns."""
        return [pattern for each in self._inputs.values() for pattern in each]

    def means(self, path: str) -> bool:
        """Whether a file fits any of the patterns."""
        return any(True for _ in self._fits(path))

    def add(self, path: str) -> Iterator[Match]:
        """Add a file; return what it makes complete."""
        for label, values in self._fits(path):
            if path not in self._found[label]:
                self._found[label][path] = values
                self._by_shared[label][self._key(label, values)].append(path)
            yield from self._complete({label: path}, values, [other for other in self._inputs if other != label])

    def remove(self, path: str) -> None:
        """Forget a file that is gone."""
        for label, values in self._fits(path):
            if self._found[label].pop(path, None) is not None:
                self._by_shared[label][self._key(label, values)].remove(path)

    def _fits(self, path: str) -> Iterator[tuple[str, Values]]:
        for label, patterns in self._inputs.items():
            for pattern in patterns:
                if (values := pattern.parse(path)) is not None:
                    yield label, values
                    break

    def _complete(self, files: dict[str, str], values: Values, missing: list[str]) -> Iterator[Match]:
        if not missing:
            yield Match({label: files[label] for label in self._inputs}, values)
            return
        label, *others = missing
        for path in self._candidates(label, values):
            more = self._found[label][path]
            if all(values.get(name, value) == value for name, value in more.items()):
                yield from self._complete({**files, label: path}, {**values, **more}, others)

    def _candidates(self, label: str, values: Values) -> Sequence[str]:
        """Files of an input that may go with these values."""
        if all(name in values for name in self._shared[label]):
            return self._by_shared[label].get(self._key(label, values), ())
        return list(self._found[label])

    def _key(self, label: str, values: Values) -> tuple[Any, ...]:
        return tuple(values.get(name) for name in self._shared[label])


def _others(names: Mapping[str, set[str]], label: str) -> set[str]:
    return {name for other, own in names.items() if other != label for name in own}
