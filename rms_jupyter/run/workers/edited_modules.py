"""Are the user's modules that a worker has imported still what their files say?

The workers of an executor live on from run to run, while the user edits modules and reloads them in the kernel.
"""

from __future__ import annotations

import os
import sys
import time

from rms_jupyter.fingerprint.origin import kind_of

_State = tuple[int, int, int]
_CHANGED: _State = (-1, -1, -1)

_states: dict[str, _State] = {}
_looked_at: set[str] = set()
_last_look = time.time_ns()


def forget_edited() -> bool:
    """Forget the user's modules if one was edited since it was imported, so that they are imported anew.

    To be called between tasks.

    Returns
    -------
    bool
        Whether they were forgotten: what refers to them is old, too.
    """
    _look_at_new_ones()
    if all(_state_of(name) == state for name, state in _states.items()):
        return False
    for name in _states:
        sys.modules.pop(name, None)
    _looked_at.difference_update(_states)
    _states.clear()
    return True


def _look_at_new_ones() -> None:
    global _last_look
    now = time.time_ns()
    for name in sys.modules.keys() - _looked_at - {"__main__", "__mp_main__"}:
        if getattr(sys.modules[name], "__file__", None) and kind_of(name) == "user":
            state = _state_of(name)
            # Edited since the last look, it may have been imported before that.
            _states[name] = state if state[0] < _last_look else _CHANGED
        _looked_at.add(name)
    _last_look = now


def _state_of(name: str) -> _State:
    try:
        found = os.stat(sys.modules[name].__file__ or "")
    except (OSError, KeyError):
        return _CHANGED
    return found.st_mtime_ns, found.st_size, found.st_ino
