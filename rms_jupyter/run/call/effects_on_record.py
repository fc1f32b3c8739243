"""What calls do beside giving a value goes into their records: what they change, share, assign and draw."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.version import MISSING, CodeVersion
from rms_jupyter.interrupts import interruptible
from rms_jupyter.model import Ref, TaskRecord
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.draws import FRESH, Draws
from rms_jupyter.run.call.effects import (
    ASSIGNED,
    done_by_cache,
    effects_of,
    lost_when_kept,
    shares,
    shown_to_be_used_up,
    unseen,
)
from rms_jupyter.run.call.surroundings import ValueTracker
from rms_jupyter.run.task.execute import Outcome
from rms_jupyter.run.task.messages import HEARD, is_heard_by_users_handler
from rms_jupyter.run.task.outputs import Made
from rms_jupyter.store.objects import Objects


@interruptible
def add_effects(
    definition: Definition,
    version: CodeVersion,
    call: Call,
    outcome: Outcome,
    made: Made,
    draws: Draws,
    objects: Objects,
) -> None:
    """Add what a call did beside giving a value."""
    effects = effects_of(call, outcome.value)
    made.uncached = made.uncached or effects.obstacle or (unseen(definition, made) if not effects.changed else "")
    made.uncached = made.uncached or shown_to_be_used_up(outcome.value, made) or lost_when_kept(outcome.value)
    changes = bool(effects.changed or outcome.assigned)
    made.uncached = made.uncached or done_by_cache(version.caches, outcome.value, made, changes)
    if outcome.changed_process:
        made.uncached = f"it changes {outcome.changed_process}"
    made.aliases = tuple(map(msgspec.structs.astuple, effects.aliases))
    made.origins = {label: tuple(runs) for label, runs in effects.origins.items()}
    others = "what it changes, others may have changed that ran"
    if outcome.had_turns and (effects.changed or outcome.drawn or outcome.figures):
        made.uncached = made.uncached or f"{others} while it was awaited"
    if outcome.had_company and (effects.changed or outcome.assigned):
        made.uncached = made.uncached or f"{others} meanwhile"
    if effects.changed and is_heard_by_users_handler(outcome.displays):
        made.uncached = made.uncached or HEARD
    for label, value in effects.changed:
        if label in call.secret:
            made.uncached = made.uncached or f"it changes {label}, which is secret"
            continue
        made.add_change(label, value, objects)
    for label, value in outcome.assigned.items():
        if value is MISSING or shares(value, call, outcome.value):
            made.uncached = f"it changes {label}"
        else:
            made.add_change(f"{ASSIGNED}{label}", value, objects)
    if names := _generators_of(definition, outcome.drawn):
        made.draws = tuple(draws.now(call, names, outcome.drawn).items())
        for name, state in draws.states(outcome.drawn).items():
            made.add_change(f"random:{name}", state, objects)


def add_effects_elsewhere(definition: Definition, call: Call, made: Made, draws: Draws) -> None:
    """Add what a call that ran in a worker did: there, generators and arguments are others."""
    made.uncached = made.uncached or unseen(definition, made)
    if call.assigned:
        made.uncached = f"it assigns {min(call.assigned)}, which does not reach the notebook from a worker"
    made.draws = tuple(draws.now(call, _generators_of(definition, dict(made.draws))).items())


def track_changes(tracker: ValueTracker, call: Call, ident: int, task: TaskRecord) -> None:
    """Let arguments that a call has changed be known as outputs of it."""
    for label, slot in task.changes:
        if label in call.names:
            value = call.values[call.names.index(label)]
            tracker.track(value, Ref(ident + slot, task.out[slot - 1].digest, task.site))


def _generators_of(definition: Definition, drawn: Iterable[str]) -> list[str]:
    return [*drawn, FRESH] if definition.draws_afresh else list(drawn)
