/** What is known of a row?  All that is told of a task, file or figure, and of a run its code. */

import type { Details as Told, RunRow } from '../generated/payload';
import { toCell } from '../kernel/going';
import { shortId } from '../kernel/ids';
import type { Kernel } from '../kernel/kernel';
import { facts, full, type DetailsEvents } from '../lineage/details';
import { button, copying, element, said } from '../style/dom';
import { cellOf, when } from './rows';

/** Shows the lineage of what has an id. */
export type Lineage = (id: string) => void;

const FAILED = ['failed', 'timed_out', 'cut_off'];

export class Details {
  /** As the lineage view's own details look. */
  private readonly about = element('div', { class: 'rms-about' });
  readonly node = element('aside', { class: 'rms-lineage', 'aria-label': 'details', hidden: '' }, this.about);
  private shown = '';

  constructor(
    private readonly kernel: Kernel,
    private readonly lineage: Lineage,
    private readonly closed: () => void
  ) {
    this.node.addEventListener('keydown', event => {
      if (event.key === 'Escape') {
        this.close();
      }
    });
  }

  async show(id: string): Promise<void> {
    this.shown = id;
    this.node.hidden = false;
    try {
      const told = await this.kernel.ask({ ask: 'details', id });
      if (this.shown === id) {
        this.about.replaceChildren(...full(1, told, this.actions(id, told), this.events));
      }
    } catch (refused) {
      this.about.replaceChildren(this.shut(), element('p', { class: 'rms-error' }, said(refused)));
    }
  }

  showRun(row: RunRow): void {
    this.shown = row.id;
    const told = facts([
      ['when', when(row.when)],
      ['tasks', row.tasks.toLocaleString('en')],
      ['failed', row.failed.toLocaleString('en')],
      ['took', row.took],
      ['id', row.id]
    ]);
    const code = element('pre', { tabindex: '0', 'aria-label': 'code' }, row.code);
    const title = element('div', { class: 'rms-heading' }, element('h3', { class: 'rms-mono' }, cellOf(row)), this.shut());
    this.about.replaceChildren(title, told, code);
    this.node.hidden = false;
  }

  close(): void {
    this.shown = '';
    this.node.hidden = true;
    this.closed();
  }

  private shut(): HTMLElement {
    return button('×', () => this.close(), { class: 'rms-close', 'aria-label': 'Close details' });
  }

  private actions(id: string, told: Told): HTMLElement[] {
    const actions = [button('Lineage', () => this.lineage(id)), toCell(id), copying('Copy %rms show', `%rms show ${shortId(id)}`)];
    if (FAILED.includes(told.status)) {
      actions.push(
        copying('Copy %rms logs', `%rms logs ${shortId(id)}`),
        copying('Copy %rms rerun --debug', `%rms rerun ${shortId(id)} --debug`)
      );
    }
    return actions.filter(action => action !== null);
  }

  private readonly events: DetailsEvents = {
    goTo: id => void this.show(id),
    close: () => this.close()
  };
}
