/** How does a view ask the kernel?  One question, one answer; also while a cell runs. */

/** What `rms_jupyter.panel.questions.answer` is asked; `store` is the path of the store that is meant. */
export interface Question {
  ask: string;
  store?: string;
  [field: string]: unknown;
}

export type Answer = Record<string, unknown>;

export interface Kernel {
  /** Rejects with `Refused` where the kernel says why it cannot answer. */
  ask(question: Question): Promise<Answer>;
}

/** A kernel whose questions are about one store. */
export function about(store: string, kernel: Kernel): Kernel {
  return { ask: question => kernel.ask({ ...question, store }) };
}

/** What went wrong, in one sentence, and what to do next in another. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly hint: string
  ) {
    super(message);
    this.name = 'Refused';
  }
}

/** An answer as it came; one that tells of a failure is thrown. */
export function accepted(answer: unknown): Answer {
  const fields = answer as Answer;
  if (fields.error !== undefined) {
    throw new Refused(String(fields.error), String(fields.hint ?? ''));
  }
  return fields;
}
