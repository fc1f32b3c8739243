/** Which boxes are seen while some branches are folded?  Those that still lead to what was asked for. */

import type { Payload } from '../generated/payload';

/** Numbers of the boxes before (`inputs`) and after each box. */
export interface Neighbours {
  inputs: number[][];
  outputs: number[][];
}

export function neighbours(payload: Pick<Payload, 'nodes' | 'links'>): Neighbours {
  const inputs: number[][] = payload.nodes.map(() => []);
  const outputs: number[][] = payload.nodes.map(() => []);
  for (const { from, to } of payload.links) {
    inputs[to]?.push(from);
    outputs[from]?.push(to);
  }
  return { inputs, outputs };
}

/** Everything seen from the first box: its inputs and theirs, its outputs and theirs, not past a folded box. */
export function seen(around: Neighbours, folded: ReadonlySet<number>): Set<number> {
  const found = new Set<number>([0]);
  for (const next of [around.inputs, around.outputs]) {
    const walked = new Set<number>([0]);
    const waiting = [0];
    for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
      found.add(number);
      for (const other of folded.has(number) ? [] : (next[number] ?? [])) {
        if (!walked.has(other)) {
          walked.add(other);
          waiting.push(other);
        }
      }
    }
  }
  return found;
}

/** How many boxes one folded box hides. */
export function hiddenBy(around: Neighbours, folded: ReadonlySet<number>, number: number): number {
  const others = new Set(folded);
  others.delete(number);
  return seen(around, others).size - seen(around, new Set(others).add(number)).size;
}
