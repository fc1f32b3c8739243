/** How does a cell stand, in words? */

import type { Standing as Told } from '../generated/payload';

/** `waiting` and `unknown` are the page's own; of the others the kernel tells. */
export type State = Told['state'] | 'waiting' | 'unknown';

export type Standing = Omit<Told, 'state'> & { state: State };

const WORDS: Record<State, string> = {
  never_run: 'never run',
  defines: 'defines',
  current: 'up to date',
  stale: 'changed since it ran',
  waiting: 'waits for its turn',
  running: 'running',
  failed: 'failed',
  cancelled: 'cancelled',
  unknown: 'not known'
};

export function standing(state: State, why = ''): Standing {
  return { state, why, count: 0, at: 0, looked: true };
}

/** The state and its reason in one line, and when the cell ran in another. */
export function inWords({ state, why, count, at }: Standing): string[] {
  const when = at ? `ran as [${count}], ${new Date(at * 1000).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })}` : '';
  return [why ? `${WORDS[state]}${state === 'defines' ? '' : ':'} ${why}` : WORDS[state], when].filter(Boolean);
}
