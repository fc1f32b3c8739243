import { describe, expect, it } from 'vitest';
import type { AnyModel } from '@anywidget/types';
import { about, accepted, pageOf, Refused, type Kernel, type Question } from '../src/kernel/kernel';
import { overWidget } from '../src/kernel/widget';

/** A kernel that says again what it was asked. */
function echo() {
  const asked: Question[] = [];
  const kernel: Kernel = {
    ask: question => {
      asked.push(question);
      return Promise.resolve(accepted({ rows: [], count: 0, total: 0 }));
    }
  };
  return { asked, kernel };
}

describe('an answer', () => {
  it('is taken as it came', () => {
    expect(accepted<'log'>({ text: 'trimmed' })).toEqual({ text: 'trimmed' });
  });

  it('that refuses is thrown, with its hint', () => {
    const refused = new Refused('the store is not open in this kernel', '%rms open');
    expect(() => accepted({ error: refused.message, hint: refused.hint })).toThrow(refused);
    expect(() => accepted({ error: '' })).toThrow(Refused);
  });
});

describe('a question', () => {
  it('is about the store that is meant', async () => {
    const { asked, kernel } = echo();
    await about('/data/study.rms', kernel).ask({ ask: 'store' });
    expect(asked).toEqual([{ ask: 'store', store: '/data/study.rms' }]);
  });

  it('for a page names the table', async () => {
    const { asked, kernel } = echo();
    expect(await pageOf(kernel, 'files', { limit: 5 })).toEqual({ rows: [], count: 0, total: 0 });
    expect(asked).toEqual([{ ask: 'page', table: 'files', limit: 5 }]);
  });
});

describe('over a widget', () => {
  /** A widget whose kernel answers when it is told to. */
  function widget() {
    const sent: { id: string; question: Question }[] = [];
    let reply: (message: unknown) => void = () => {};
    const model = {
      on: (_: string, hear: (message: unknown) => void) => (reply = hear),
      send: (message: { id: string; question: Question }) => sent.push(message)
    };
    return { sent, kernel: overWidget(model as unknown as AnyModel), answer: (message: unknown) => reply(message) };
  }

  it('each question gets its own answer, in whatever order they come', async () => {
    const { sent, kernel, answer } = widget();
    const first = kernel.ask({ ask: 'log', task: '1' });
    const second = kernel.ask({ ask: 'log', task: '2' });
    answer({ id: sent[1]!.id, answer: { text: 'two' } });
    answer({ id: 'of another view', answer: { text: 'none' } });
    answer({ id: sent[0]!.id, answer: { text: 'one' } });
    expect(await Promise.all([first, second])).toEqual([{ text: 'one' }, { text: 'two' }]);
  });

  it('a refusal is thrown to the one who asked', async () => {
    const { sent, kernel, answer } = widget();
    const asked = kernel.ask({ ask: 'store' });
    answer({ id: sent[0]!.id, answer: { error: 'the store is not open in this kernel', hint: '%rms open' } });
    await expect(asked).rejects.toThrow('not open');
  });
});
