import { expect, test } from 'vitest';
import { next, ordered } from '../src/results/order';

test('numbers stand by size, words by the alphabet, what is empty last', () => {
  expect(ordered(['10', '9', '', '-1.5e3', '1,000'], 'ascending')).toEqual([3, 1, 0, 4, 2]);
  expect(ordered(['10', '9', '', '-1.5e3', '1,000'], 'descending')).toEqual([4, 0, 1, 3, 2]);
  expect(ordered(['b', 'a', '10'], 'ascending')).toEqual([2, 1, 0]);
  expect(ordered(['x', 'x', 'x'], 'descending')).toEqual([0, 1, 2]);
  expect(ordered([], 'ascending')).toEqual([]);
});

test('a third press gives back what came', () => {
  expect([next(null), next('ascending'), next('descending')]).toEqual(['ascending', 'descending', null]);
});
