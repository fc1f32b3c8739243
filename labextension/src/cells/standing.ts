/** How does a cell stand, in words? */

/** `waiting` and `unknown` are the page's own; of the others the kernel tells (`rms_jupyter.panel.cells`). */
export type State = 'never_run' | 'current' | 'stale' | 'waiting' | 'running' | 'failed' | 'cancelled' | 'unknown';

export interface Standing {
  state: State;
  why: string;
  /** The number in `In [count]`, 0 if it did not run. */
  count: number;
  /** Seconds since 1970. */
  at: number;
  /** Whether the kernel had the time to look; else it is asked again. */
  looked: boolean;
}

const WORDS: Record<State, string> = {
  never_run: 'never run',
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
  return [why ? `${WORDS[state]}: ${why}` : WORDS[state], when].filter(Boolean);
}
