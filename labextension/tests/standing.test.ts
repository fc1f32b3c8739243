import { describe, expect, it } from 'vitest';
import { inWords, standing } from '../src/cells/standing';

describe('how a cell stands', () => {
  it('is one line while there is nothing more to say', () => {
    expect(inWords(standing('never_run'))).toEqual(['never run']);
  });

  it('has its reason', () => {
    expect(inWords(standing('stale', 'CUTOFF 30 → 40'))).toEqual(['changed since it ran: CUTOFF 30 → 40']);
  });

  it('says when the cell ran, as which number', () => {
    const [state, ran] = inWords({ ...standing('current'), count: 7, at: 1_750_000_000 });
    expect(state).toBe('up to date');
    expect(ran).toMatch(/^ran as \[7\], .*2025/);
  });
});
