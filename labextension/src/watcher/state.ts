/** What does the kernel say of a run?  As `rms_jupyter.panel.running.state_of` words it. */

export const PARTS = ['hit', 'done', 'running', 'failed', 'not run', 'waiting'] as const;

export type Part = (typeof PARTS)[number];

export type PipeCounts = { name: string; total: number } & Partial<Record<Part, number>>;

export interface FailedCall {
  call: string;
  error: string;
  /** The task's id on record; empty where it has none. */
  task: string;
}

export interface RunState {
  run: string;
  store: string;
  name: string;
  phase: 'starting' | 'running' | 'stopping' | 'stopped' | 'failed' | 'done';
  headline: string;
  diff: string;
  title: string;
  pipes: PipeCounts[];
  more: number;
  failed: number;
  failures: FailedCall[];
}

export function hasEnded(state: RunState): boolean {
  return ['stopped', 'failed', 'done'].includes(state.phase);
}
