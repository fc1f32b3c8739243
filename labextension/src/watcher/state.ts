/** In which parts does a run come, and has it ended? */

import type { PipeCounts, RunState } from '../generated/payload';

export const PARTS = ['hit', 'done', 'running', 'failed', 'not run', 'waiting'] as const satisfies (keyof PipeCounts)[];

export type Part = (typeof PARTS)[number];

export function hasEnded({ phase }: Pick<RunState, 'phase'>): boolean {
  return ['stopped', 'failed', 'done'].includes(phase);
}
