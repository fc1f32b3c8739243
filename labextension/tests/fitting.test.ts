import { expect, it } from 'vitest';
import { fitting } from '../src/panel/grid';

const COLUMNS = [
  { label: 'call', width: 220, narrow: 120 },
  { label: 'status', width: 116, narrow: 12 },
  { label: 'took', width: 84, spare: true },
  { label: 'when', width: 96, spare: true }
];

it('leaves out spare columns, the last first, until the others have room', () => {
  const names = (room: number) => fitting(COLUMNS, room).map(({ label }) => label);
  expect(names(800)).toEqual(['call', 'status', 'took', 'when']);
  expect(names(500)).toEqual(['call', 'status', 'took']);
  expect(names(270)).toEqual(['call', 'status', 'took']);
  expect(names(100)).toEqual(['call', 'status']);
});
