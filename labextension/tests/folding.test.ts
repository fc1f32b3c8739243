import { describe, expect, it } from 'vitest';
import { between, hiddenBy, neighbours, seen } from '../src/lineage/folding';
import type { Box, Link } from '../src/generated/payload';

/** Links between so many boxes; the first is what was asked for. */
function around(boxes: number, links: [number, number][]) {
  const nodes = Array.from({ length: boxes }, () => ({}) as Box);
  return neighbours({ nodes, links: links.map(([from, to]) => ({ from, to }) as Link) });
}

/** 0 was made from 1 and 2; 1 from 3 and 4, 2 from 4; 5 was made from 0 and 6. */
const STUDY = around(7, [
  [1, 0],
  [2, 0],
  [3, 1],
  [4, 1],
  [4, 2],
  [0, 5],
  [6, 5]
]);

describe('what is seen', () => {
  it('is all that the first box was made from, and all that was made from it', () => {
    expect(seen(STUDY, new Set())).toEqual(new Set([0, 1, 2, 3, 4, 5]));
  });

  it('ends at a folded box, unless another way leads further', () => {
    expect(seen(STUDY, new Set([1]))).toEqual(new Set([0, 1, 2, 4, 5]));
    expect(seen(STUDY, new Set([1, 2]))).toEqual(new Set([0, 1, 2, 5]));
  });

  it('is the first box alone, with its ways both folded', () => {
    expect(seen(STUDY, new Set([0]))).toEqual(new Set([0]));
  });

  it('comes to an end where links go in a circle', () => {
    const circle = around(3, [
      [1, 0],
      [2, 1],
      [1, 2]
    ]);
    expect(seen(circle, new Set())).toEqual(new Set([0, 1, 2]));
  });

  it('is found in a chain of ten thousand', () => {
    const chain = around(
      10_000,
      Array.from({ length: 9_999 }, (_, n) => [n + 1, n])
    );
    expect(seen(chain, new Set()).size).toBe(10_000);
  });
});

describe('what is between', () => {
  it('are the ways from some boxes to the first, and nothing beside them', () => {
    expect(between(STUDY, [4])).toEqual(new Set([0, 1, 2, 4]));
    expect(between(STUDY, [3, 5])).toEqual(new Set([0, 1, 3, 5]));
  });

  it('is the first box where nothing leads to it', () => {
    expect(between(STUDY, [6])).toEqual(new Set([0]));
    expect(between(STUDY, [])).toEqual(new Set([0]));
  });
});

describe('what a folded box hides', () => {
  it('is what nothing else leads to', () => {
    expect(hiddenBy(STUDY, new Set(), 1)).toBe(1);
    expect(hiddenBy(STUDY, new Set([2]), 1)).toBe(2);
    expect(hiddenBy(STUDY, new Set(), 3)).toBe(0);
  });

  it('is the same while it is folded', () => {
    expect(hiddenBy(STUDY, new Set([1]), 1)).toBe(1);
  });
});

describe('links', () => {
  it('to boxes that are not there lead nowhere', () => {
    expect(neighbours({ nodes: [{} as Box], links: [{ from: 0, to: 7 } as Link] })).toEqual({ inputs: [[]], outputs: [[7]] });
  });
});
