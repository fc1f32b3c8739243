import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Rhythm } from '../src/cells/rhythm';

/** Answers each question after so many ms, and tells after how many to ask for the rest. */
function asking(takes: number, rest: () => number = () => 0) {
  const asked: boolean[] = [];
  const rhythm = new Rhythm(async everything => {
    asked.push(everything);
    if (takes) {
      await new Promise(resolve => setTimeout(resolve, takes));
    }
    return rest();
  });
  return { asked, rhythm };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a question', () => {
  it('comes once, soon after things happened', async () => {
    const { asked, rhythm } = asking(0);
    rhythm.request(false);
    rhythm.request(false);
    await pass(299);
    expect(asked).toEqual([]);
    await pass(1);
    expect(asked).toEqual([false]);
    await pass(10_000);
    expect(asked).toEqual([false]);
  });

  it('is for everything if one of those that wanted it was', async () => {
    const { asked, rhythm } = asking(0);
    rhythm.request(true);
    rhythm.request(false);
    await pass(300);
    rhythm.request(false);
    await pass(300);
    expect(asked).toEqual([true, false]);
  });

  it('waits for the answer to the one before, and four times as long as that took', async () => {
    const { asked, rhythm } = asking(1000);
    rhythm.request(false);
    await pass(300);
    rhythm.request(true);
    await pass(999);
    expect(asked).toEqual([false]);
    await pass(4000);
    expect(asked).toEqual([false]);
    await pass(1);
    expect(asked).toEqual([false, true]);
  });

  it('is asked again where the answer says when', async () => {
    let polls = 2;
    const { asked, rhythm } = asking(0, () => (polls-- ? 1000 : 0));
    rhythm.request(false);
    await pass(300);
    await pass(999);
    expect(asked).toHaveLength(1);
    await pass(1);
    expect(asked).toHaveLength(2);
    await pass(60_000);
    expect(asked).toHaveLength(3);
  });
});

describe('after a reset', () => {
  it('nothing that was requested is asked', async () => {
    const { asked, rhythm } = asking(0);
    rhythm.request(true);
    rhythm.reset();
    await pass(10_000);
    expect(asked).toEqual([]);
  });

  it('an answer that never comes holds up nothing', async () => {
    const { asked, rhythm } = asking(1e9);
    rhythm.request(true);
    await pass(300);
    rhythm.reset();
    rhythm.request(false);
    await pass(300);
    expect(asked).toEqual([true, false]);
  });

  it('the answer to an earlier question asks for nothing', async () => {
    const { asked, rhythm } = asking(500, () => 1);
    rhythm.request(false);
    await pass(300);
    rhythm.reset();
    await pass(10_000);
    expect(asked).toEqual([false]);
  });
});
