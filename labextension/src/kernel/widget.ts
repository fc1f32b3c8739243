/** How does an anywidget ask?  By a custom message that carries a number, answered by one with the same number. */

import type { AnyModel } from '@anywidget/types';
import { accepted, type Kernel } from './kernel';

interface Reply {
  id: string;
  answer: unknown;
}

export function overWidget(model: AnyModel): Kernel {
  const waiting = new Map<string, (answer: unknown) => void>();
  model.on('msg:custom', (reply: Reply) => {
    waiting.get(reply.id)?.(reply.answer);
    waiting.delete(reply.id);
  });
  return {
    ask: async question => {
      const answer = await new Promise(resolve => {
        const id = Math.random().toString(36).slice(2);
        waiting.set(id, resolve);
        model.send({ id, question });
      });
      return accepted(answer);
    }
  };
}
