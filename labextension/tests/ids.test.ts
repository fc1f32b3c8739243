import { expect, it } from 'vitest';
import { shortId } from '../src/kernel/ids';

it('shortens ids as the kernel does', () => {
  expect(shortId('8050232252874905454')).toBe('tb97e173');
});
