/** How does a view ask the kernel?  One question, one answer; also while a cell runs. */

import type { Answers, Refusal, Rows } from '../generated/payload';

/** What `rms_jupyter.panel.questions.answer` is asked; `store` is the path of the store that is meant. */
export interface Question<Ask extends keyof Answers = keyof Answers> {
  ask: Ask;
  store?: string;
  [field: string]: unknown;
}

export interface Kernel {
  /** Rejects with `Refused` where the kernel says why it cannot answer. */
  ask<Ask extends keyof Answers>(question: Question<Ask>): Promise<Answers[Ask]>;
  /** Interrupts what it runs, by another way than questions go, where there is one. */
  interrupt?(): Promise<void>;
}

export type Page<Table extends keyof Rows> = Omit<Answers['page'], 'rows'> & { rows: Rows[Table][] };

/** Some rows of a table. */
export async function pageOf<Table extends keyof Rows>(kernel: Kernel, table: Table, look: Record<string, unknown>): Promise<Page<Table>> {
  return (await kernel.ask({ ask: 'page', table, ...look })) as Page<Table>;
}

/** A kernel whose questions are about one store. */
export function about(store: string, kernel: Kernel): Kernel {
  return { ...kernel, ask: question => kernel.ask({ ...question, store }) };
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

/** An answer as it came; a refusal is thrown. */
export function accepted<Ask extends keyof Answers>(answer: unknown): Answers[Ask] {
  const { error, hint } = answer as Partial<Refusal>;
  if (error !== undefined) {
    throw new Refused(error, hint ?? '');
  }
  return answer as Answers[Ask];
}
