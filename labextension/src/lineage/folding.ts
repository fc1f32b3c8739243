/** Which boxes are seen while some branches are folded, or only some are wanted?  Those that lead to what was asked for. */

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
  return new Set([...reached(around.inputs, [0], folded), ...reached(around.outputs, [0], folded)]);
}

/** The first box, some others, and what is on the ways between. */
export function between(around: Neighbours, numbers: Iterable<number>): Set<number> {
  const found = new Set<number>([0]);
  const wanted = [...numbers];
  for (const [away, back] of [
    [around.inputs, around.outputs],
    [around.outputs, around.inputs]
  ] as const) {
    const side = reached(away, [0]);
    reached(
      back,
      wanted.filter(number => side.has(number))
    ).forEach(number => side.has(number) && found.add(number));
  }
  return found;
}

function reached(next: number[][], from: number[], folded: ReadonlySet<number> = new Set()): Set<number> {
  const found = new Set(from);
  const waiting = [...from];
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    for (const other of folded.has(number) ? [] : (next[number] ?? [])) {
      if (!found.has(other)) {
        found.add(other);
        waiting.push(other);
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
