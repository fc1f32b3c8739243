import { describe, expect, it } from 'vitest';
import { apart, partsOf } from '../src/panel/calls';

describe('calls that begin and end alike', () => {
  it('are split where they differ, words and paths whole', () => {
    const calls = [1, 4, 12].map(n => `fit(load("raw/sample_${n}.csv"), least=0)`);
    expect(apart(calls)[1]).toEqual(['fit(load("raw/', 'sample_4.csv', '"), least=0)']);
    expect(apart(['qc(15)', 'qc(25)'])).toEqual([
      ['qc(', '15', ')'],
      ['qc(', '25', ')']
    ]);
  });

  it('are whole where there is nothing to tell them from', () => {
    expect(apart(['qc(1)', 'qc(1)'])).toEqual([
      ['', 'qc(1)', ''],
      ['', 'qc(1)', '']
    ]);
    expect(apart(['f(a, a)', 'f(a, a, a)']).map(parts => parts.join(''))).toEqual(['f(a, a)', 'f(a, a, a)']);
  });

  it('are compared with those of their own pipe', () => {
    const rows = [
      { pipe: 'qc', call: 'qc("raw/1.csv")' },
      { pipe: 'fit', call: 'fit(7)' },
      { pipe: 'qc', call: 'qc("raw/2.csv")' }
    ];
    expect([...partsOf(rows).values()].map(([, own]) => own)).toEqual(['1.csv', '2.csv', 'fit(7)']);
  });
});
