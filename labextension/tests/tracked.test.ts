import { expect, test } from 'vitest';
import type { TrackedRow } from '../src/generated/payload';
import { fitting, standing } from '../src/panel/tracked-filter';

const row = (script: string, state: string, sign: string): TrackedRow =>
  ({ script, state, sign, config: 'std', group: 'paper', detail: '' }) as TrackedRow;
const rows = [row('a.py', 'failed', '■'), row('b.py', 'never run', '○'), row('c.py', 'failed', '■')];

test('states are counted in one order', () => {
  expect(standing(rows)).toEqual([
    ['never run', '○', 1],
    ['failed', '■', 2]
  ]);
  expect(standing([])).toEqual([]);
});

test('rows fit words and a state', () => {
  expect(fitting(rows, 'PAPER a.py', '')).toEqual([rows[0]]);
  expect(fitting(rows, '', 'failed')).toEqual([rows[0], rows[2]]);
  expect(fitting(rows, 'b.py', 'failed')).toEqual([]);
});
