import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunRow } from '../src/generated/payload';
import { cellOf, COLUMNS, when } from '../src/panel/rows';

beforeEach(() => {
  vi.useFakeTimers({ now: new Date(2026, 5, 10, 12) });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a moment', () => {
  it.each([
    [new Date(2026, 5, 10, 9, 5), 'today 09:05'],
    [new Date(2026, 5, 9, 23, 59), '9 Jun 23:59'],
    [new Date(2025, 11, 31, 23, 59), '31 Dec 2025']
  ])('%s is told as %j', (moment, told) => {
    expect(when(moment.getTime())).toBe(told);
  });

  it('that is not known is not told', () => {
    expect(when(null)).toBe('');
  });
});

describe('the cell of a run', () => {
  it.each([
    ['study.ipynb', 7, 'study.ipynb [7]'],
    ['study.ipynb', null, 'study.ipynb'],
    ['', 7, '[7]'],
    ['', 0, '']
  ])('of %j, %s is %j', (notebook, cell, told) => {
    expect(cellOf({ notebook, cell } as RunRow)).toBe(told);
  });
});

describe('the columns of each table', () => {
  it.each(Object.entries(COLUMNS))('of %s have names of their own, and one is for when', (_, columns) => {
    const labels = columns.map(column => column.label);
    expect(new Set(labels).size).toBe(labels.length);
    expect(labels).toContain('when');
  });
});
