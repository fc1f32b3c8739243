/** How does a run look?  While it moves, and once it has ended. */

import type { FailedCall, PipeCounts, RunState } from '../generated/payload';
import { runAgain } from '../kernel/going';
import { about, pageOf, type Kernel } from '../kernel/kernel';
import { LineageView } from '../lineage/view';
import { button, element, said } from '../style/dom';
import { failureOf } from './failures';
import { hasEnded, PARTS, type Part } from './state';

const PATIENCE = 3000;
const MOST_FAILURES = 100;
const FEW_PIPES = 12;
const FEW_FAILURES = 6;
const DRAWN = ['hit', 'done', 'running', 'failed'] as const;

/** One run, drawn anew by `update`; without a kernel nothing can be asked. */
export class RunView {
  readonly node: HTMLElement;
  private readonly name = element('b');
  private readonly title = element('span', { class: 'rms-muted' });
  private readonly news = element('span', { class: 'rms-text' });
  private readonly diff = element('pre', { class: 'rms-log', tabindex: '0', 'aria-label': 'what was changed' });
  private readonly changes = element('details', {}, element('summary', {}, 'what was changed'), this.diff);
  private readonly headline = element('div', { class: 'rms-headline', hidden: '' }, this.news, this.changes);
  private readonly note = element('div', { class: 'rms-more rms-muted', role: 'status', hidden: '' });
  private readonly pipes = element('div', { class: 'rms-pipes', role: 'list', 'aria-label': 'pipes' });
  private readonly more = element('div', { class: 'rms-more rms-muted', hidden: '' });
  private readonly failures = element('div', { class: 'rms-failures', 'aria-label': 'failures', role: 'group' });
  private readonly lineage = element('div', { class: 'rms-run-lineage' });
  private readonly allFailures: HTMLButtonElement;
  private readonly from: HTMLButtonElement;
  private readonly again: HTMLButtonElement | null;
  private readonly stop: HTMLButtonElement;
  private readonly rows: PipeRow[] = [];
  private readonly kernel: Kernel | null;
  private state: RunState;
  private readonly drawn = new Map<string, HTMLElement>();

  constructor(kernel: Kernel | null, state: RunState) {
    this.kernel = kernel && about(state.store, kernel);
    this.state = state;
    this.allFailures = button('All failures', () => void this.toggleFailures(), { 'aria-expanded': 'false' });
    this.from = button('Lineage', () => void this.toggleLineage(), { 'aria-expanded': 'false' });
    this.again = runAgain(() => ({ id: this.state.failures[0]?.task ?? '', store: this.state.store }));
    this.stop = button('Stop', () => void this.askToStop(), { class: 'rms-danger' });
    const title = element('div', { class: 'rms-title' }, this.name, this.title);
    const head = element('div', { class: 'rms-head' }, title, this.again, this.allFailures, this.from, this.stop);
    const parts = [this.headline, head, this.note, this.pipes, this.more, this.failures, this.lineage];
    this.node = element('section', { class: 'rms-box rms-run', 'data-lm-suppress-shortcuts': 'true' }, ...parts);
    this.update(state);
  }

  update(state: RunState): void {
    const moved = state.phase !== this.state.phase;
    this.state = state;
    this.node.setAttribute('aria-label', state.name);
    this.node.dataset.phase = state.phase;
    write(this.name, state.name);
    write(this.title, state.phase === 'running' ? state.title : `${state.phase} · ${state.title}`);
    this.headline.hidden = !state.headline;
    write(this.news, state.headline);
    write(this.diff, state.diff);
    this.changes.hidden = !state.diff;
    show(this.more, state.more ? `and ${state.more.toLocaleString('en')} more pipes` : '');
    if (moved) {
      show(this.note, '');
    }
    this.stop.hidden = hasEnded(state) || !this.kernel;
    this.stop.disabled = state.phase === 'stopping';
    this.allFailures.hidden = !this.kernel || state.failed <= state.failures.length;
    if (this.again) {
      this.again.hidden = !this.kernel || !hasEnded(state) || !state.failures[0]?.task;
    }
    this.from.hidden = !this.kernel;
    this.drawPipes(state.pipes);
    if (!this.isOpen) {
      this.drawFailures(state.failures);
    }
  }

  private drawPipes(pipes: PipeCounts[]): void {
    while (this.rows.length < pipes.length) {
      const row = new PipeRow();
      this.rows.push(row);
      this.pipes.append(row.node);
    }
    pipes.forEach((pipe, index) => this.rows[index]!.update(pipe));
    if (pipes.length > FEW_PIPES) {
      this.pipes.tabIndex = 0;
    }
  }

  private drawFailures(failures: FailedCall[]): void {
    const nodes = failures.map(failure => this.failure(failure));
    if (nodes.some((node, index) => node !== this.failures.children[index]) || nodes.length !== this.failures.children.length) {
      this.failures.replaceChildren(...nodes);
      this.failures.toggleAttribute('tabindex', false);
      if (nodes.length > FEW_FAILURES) {
        this.failures.tabIndex = 0;
      }
    }
  }

  /** One that was drawn stays as it is, with its log open. */
  private failure(failure: FailedCall): HTMLElement {
    const name = failure.task || failure.call;
    const node = this.drawn.get(name) ?? failureOf(this.kernel, failure);
    this.drawn.set(name, node);
    return node;
  }

  private get isOpen(): boolean {
    return this.allFailures.getAttribute('aria-expanded') === 'true';
  }

  private async toggleFailures(): Promise<void> {
    this.allFailures.setAttribute('aria-expanded', String(!this.isOpen));
    if (!this.isOpen) {
      this.drawFailures(this.state.failures);
      return;
    }
    const { run } = this.state;
    try {
      const { rows } = await pageOf(this.kernel!, 'failures', { run, limit: MOST_FAILURES });
      this.drawFailures(rows.map(({ call, error, id }) => ({ call, error, task: id })));
    } catch (refused) {
      show(this.note, said(refused));
    }
  }

  /** Draws the lineage of what ended last. */
  private async toggleLineage(): Promise<void> {
    const opens = this.from.getAttribute('aria-expanded') === 'false';
    this.from.setAttribute('aria-expanded', String(opens));
    this.lineage.replaceChildren();
    if (!opens) {
      return;
    }
    try {
      const [last] = (await pageOf(this.kernel!, 'tasks', { run: this.state.run, limit: 1 })).rows;
      if (last) {
        const view = new LineageView(() => this.kernel);
        this.lineage.replaceChildren(view.node);
        await view.lookFrom(last.id);
      } else {
        show(this.note, 'Nothing has run yet: what came from the store is among the tasks of earlier runs.');
      }
    } catch (refused) {
      show(this.note, said(refused));
    }
  }

  private async askToStop(): Promise<void> {
    this.stop.disabled = true;
    const late = setTimeout(() => this.offerInterrupt(), PATIENCE);
    try {
      await this.kernel!.ask({ ask: 'stop', run: this.state.run });
      show(this.note, 'Stopping: nothing new begins, what has finished is kept.');
    } catch (refused) {
      this.stop.disabled = false;
      show(this.note, said(refused));
    } finally {
      clearTimeout(late);
    }
  }

  /** Of a page that was opened while a cell runs, the kernel hears no question before the cell has ended. */
  private offerInterrupt(): void {
    show(this.note, 'The kernel has not answered yet. To end the run at once, interrupt the kernel.');
    const { interrupt } = this.kernel!;
    if (interrupt) {
      const press = () => void interrupt().catch((refused: unknown) => show(this.note, said(refused)));
      this.note.append(' ', button('Interrupt the kernel', press, { class: 'rms-danger' }));
    }
  }
}

/** A pipe's bar and counts. */
class PipeRow {
  readonly node: HTMLElement;
  private readonly name = element('span', { class: 'rms-mono rms-text' });
  private readonly segments = DRAWN.map(part => element('span', { 'data-part': part }));
  private readonly counts = PARTS.filter(part => part !== 'not run').map(part =>
    element('span', { class: 'rms-count', 'data-part': part })
  );

  constructor() {
    const bar = element('div', { class: 'rms-bar', 'aria-hidden': 'true' }, ...this.segments);
    this.node = element('div', { class: 'rms-pipe', role: 'listitem' }, this.name, bar, ...this.counts);
  }

  update(pipe: PipeCounts): void {
    write(this.name, pipe.name);
    DRAWN.forEach((part, index) => {
      this.segments[index]!.style.width = `${(100 * (pipe[part] ?? 0)) / pipe.total}%`;
    });
    for (const cell of this.counts) {
      const part = cell.dataset.part as Part;
      const words = [counted(pipe, part), part === 'waiting' ? counted(pipe, 'not run') : ''];
      write(cell, words.filter(Boolean).join(' · '));
    }
  }
}

function counted(pipe: PipeCounts, part: Part): string {
  const count = pipe[part];
  return count ? `${count.toLocaleString('en')} ${part}` : '';
}

/** Touches the page only where the text is another. */
function write(node: HTMLElement, text: string): void {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

function show(node: HTMLElement, text: string): void {
  write(node, text);
  node.hidden = !text;
}
