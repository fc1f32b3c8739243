import { describe, expect, it } from 'vitest';
import { hasEnded } from '../src/watcher/state';

describe('a run', () => {
  it.each(['stopped', 'failed', 'done'] as const)('that is %s has ended', phase => {
    expect(hasEnded({ phase })).toBe(true);
  });

  it.each(['starting', 'running', 'stopping'] as const)('that is %s goes on', phase => {
    expect(hasEnded({ phase })).toBe(false);
  });
});
