/** How does an anywidget ask?  By a custom message that carries a number, answered by one with the same number. */

import type { AnyModel } from '@anywidget/types';
import { accepted, type Answer, type Kernel } from './kernel';

interface Reply {
  id: string;
  answer: unknown;
}

export function overWidget(model: AnyModel): Kernel {
  const waiting = new Map<string, { resolve: (answer: Answer) => void; reject: (reason: unknown) => void }>();
  model.on('msg:custom', (reply: Reply) => {
    const asker = waiting.get(reply.id);
    waiting.delete(reply.id);
    try {
      asker?.resolve(accepted(reply.answer));
    } catch (refused) {
      asker?.reject(refused);
    }
  });
  return {
    ask: question =>
      new Promise((resolve, reject) => {
        const id = Math.random().toString(36).slice(2);
        waiting.set(id, { resolve, reject });
        model.send({ id, question });
      })
  };
}
