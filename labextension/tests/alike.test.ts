import { describe, expect, it } from 'vitest';
import { differing, grouped, sideBySide } from '../src/panel/alike';

const drawn = (pipe: string, params: Record<string, string>) => ({ pipe, params: Object.entries(params) });
const rows = [
  drawn('plot', { n: '10', colour: 'red' }),
  drawn('plot', { n: '2', colour: 'red' }),
  drawn('other', { n: '2', colour: 'blue' }),
  drawn('none', {})
];

describe('figures', () => {
  it('differ in what has several values for one pipe', () => {
    expect(differing(rows)).toEqual(['n']);
  });

  it('are put together by value, numbers in order', () => {
    expect(grouped(rows, 'n').map(([value, own]) => [value, own.length])).toEqual([
      ['2', 2],
      ['10', 1],
      ['', 1]
    ]);
  });

  it('are compared, with what differs first', () => {
    expect(sideBySide(drawn('a', { k: '1', n: '2' }), drawn('b', { k: '1', n: '3', m: '4' }))).toEqual([
      ['n', '2', '3', true],
      ['m', '', '4', true],
      ['k', '1', '1', false]
    ]);
  });
});
