"""Does code draw from the system's entropy: with a generator that nobody has seeded, or directly?"""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping

from rms_jupyter.fingerprint.parsing import parse

_MAKERS = {"default_rng", "RandomState", "SeedSequence", "SystemRandom", "Random"}
_ENTROPY = {"uuid1", "uuid4", "urandom", "token_bytes", "token_hex", "token_urlsafe", "randbelow", "randbits"}


def draws_afresh(sources: Mapping[str, str]) -> bool:
    """Whether code makes generators that are seeded from the system's entropy, or takes numbers from there."""
    return any(map(_draws_afresh, sources.values()))


@functools.lru_cache(maxsize=1000)
def _draws_afresh(text: str) -> bool:
    if not any(name in text for name in (*_MAKERS, *_ENTROPY)):
        return False
    try:
        tree = parse(text)
    except SyntaxError:
        return False
    return any(_is_entropy(node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def _is_entropy(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in _ENTROPY:
        return True
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return name in _MAKERS and all(isinstance(value, ast.Constant) and value.value is None for value in given)
