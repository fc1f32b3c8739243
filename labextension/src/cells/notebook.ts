/** How do the cells of a notebook stand?  Asks the kernel, follows what runs, and draws a mark at each `%%rms` cell. */

import type { Cell, ICodeCellModel } from '@jupyterlab/cells';
import { NotebookActions, type Notebook, type NotebookPanel } from '@jupyterlab/notebook';
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel as Jupyter } from '@jupyterlab/services';
import { overComm } from '../kernel/comm';
import type { NotebookCells } from '../generated/payload';
import { Refused, type Kernel } from '../kernel/kernel';
import { Mark } from './mark';
import { Rhythm } from './rhythm';
import { standing, type Standing } from './standing';

const MARKED = /^%%rms(?:[ \t]*(?:\n|$)|[ \t]+(?:-|(?:pipe|run|cell|bash)(?![^\s])))/;
const BEGINS_RUN = /^%%rms[ \t]+run(?![^\s])/;
const RESTARTS: Jupyter.Status[] = ['restarting', 'autorestarting', 'terminating', 'dead'];
const NOT_ASKED = standing('unknown', 'the kernel was not asked yet');
const POLL = 1000; // ms

const ofPanels = new WeakMap<NotebookPanel, Standings>();

/** The cells of a notebook. */
export function standingsOf(panel: NotebookPanel): Standings {
  let found = ofPanels.get(panel);
  if (!found) {
    found = new Standings(panel);
    ofPanels.set(panel, found);
  }
  return found;
}

export class Standings {
  private readonly marks = new WeakMap<Cell, Mark>();
  private readonly rhythm = new Rhythm(everything => this.ask(everything));
  private readonly known = new Map<string, Standing>();
  private readonly asked = new Map<string, string>();
  /** The cells that the page has sent to the kernel and that have not ended, in this order. */
  private readonly sent = new Set<string>();
  private refused: Refused | null = null;
  private drawing = 0;
  private isGone = false;
  /** The notebook's path as the kernel knows it. */
  path = '';

  constructor(private readonly panel: NotebookPanel) {
    const { content, context, sessionContext } = panel;
    content.modelContentChanged.connect(() => this.rhythm.request(false));
    content.activeCellChanged.connect(this.reach, this);
    NotebookActions.executionScheduled.connect(this.scheduled, this);
    NotebookActions.executed.connect(this.executed, this);
    sessionContext.kernelChanged.connect(this.forget, this);
    sessionContext.connectionStatusChanged.connect(this.connected, this);
    sessionContext.statusChanged.connect(this.follow, this);
    panel.disposed.connect(() => {
      NotebookActions.executionScheduled.disconnect(this.scheduled, this);
      NotebookActions.executed.disconnect(this.executed, this);
      this.rhythm.reset();
    });
    void context.ready.then(() => this.look());
  }

  /** How a cell stands, as far as is known. */
  of(cell: Cell): Standing {
    const { id } = cell.model;
    if (this.sent.has(id)) {
      return standing(this.sent.values().next().value === id ? 'running' : 'waiting');
    }
    return this.known.get(id) ?? (this.refused ? standing('unknown', `${this.refused.message}: ${this.refused.hint}`) : NOT_ASKED);
  }

  /** Looks at everything anew. */
  look(): void {
    this.draw();
    this.rhythm.request(true);
  }

  /** Asks how all cells stand now, and gives those that have changed since they ran, in the notebook's order. */
  async stale(): Promise<Cell[]> {
    const cells = this.cells();
    do {
      await this.ask(true);
      if (this.refused) {
        throw this.refused;
      }
    } while (cells.some(cell => !this.of(cell).looked));
    return cells.filter(cell => this.of(cell).state === 'stale');
  }

  /** Stops the runs that a cell began; all runs, if none is given. */
  async stop(cell?: Cell): Promise<void> {
    await this.kernel().ask({ ask: 'stop', cell: cell?.model.id ?? '' });
  }

  /** The notebook's kernel. */
  kernel(): Kernel {
    const connection = this.panel.sessionContext.session?.kernel;
    if (!connection) {
      throw new Refused('the notebook has no kernel', 'start one');
    }
    return overComm(connection);
  }

  private cells(): Cell[] {
    return this.panel.content.widgets.filter(cell => cell.model.type === 'code' && MARKED.test(sourceOf(cell)));
  }

  private async ask(everything: boolean): Promise<number> {
    const cells = this.cells();
    const wanted = cells.filter(cell => everything || this.isNew(cell)).map(cell => ({ id: cell.model.id, code: sourceOf(cell) }));
    if (this.panel.isDisposed || !wanted.length || (this.refused && !everything)) {
      this.draw();
      return 0;
    }
    try {
      this.take(await this.kernel().ask({ ask: 'cells', cells: wanted }));
      wanted.forEach(({ id, code }) => this.asked.set(id, code));
    } catch (error) {
      this.known.clear();
      this.refused = error instanceof Refused ? error : new Refused(String(error), 'reload the page');
    }
    if (this.panel.isDisposed) {
      return 0;
    }
    this.draw();
    const states = cells.map(cell => this.known.get(cell.model.id));
    return states.some(found => found?.looked === false) ? 1 : states.some(found => found?.state === 'running') ? POLL : 0;
  }

  private isNew(cell: Cell): boolean {
    const known = this.known.get(cell.model.id);
    return !known || known.state === 'running' || !known.looked || this.asked.get(cell.model.id) !== sourceOf(cell);
  }

  private take({ notebook, cells }: NotebookCells): void {
    this.refused = null;
    this.path = notebook;
    for (const [id, found] of Object.entries(cells)) {
      this.known.set(id, found);
    }
  }

  /** Draws all marks in the next frame: things happen to many cells at once. */
  private draw(): void {
    this.drawing ||= requestAnimationFrame(() => this.drawNow());
  }

  private drawNow(): void {
    this.drawing = 0;
    const { widgets } = this.panel.content;
    const busy = new Set(widgets.filter(cell => (cell.model as ICodeCellModel).executionState !== 'idle').map(cell => cell.model.id));
    this.sent.forEach(id => busy.has(id) || this.sent.delete(id)); // Some were deleted, or given up.
    for (const cell of widgets) {
      const source = cell.model.type === 'code' ? sourceOf(cell) : '';
      const mark = this.marks.get(cell);
      if (MARKED.test(source)) {
        const found = this.of(cell);
        (mark ?? this.add(cell)).show(found, found.state === 'running' && BEGINS_RUN.test(source));
      } else if (mark) {
        mark.node.remove();
        this.marks.delete(cell);
      }
    }
  }

  private add(cell: Cell): Mark {
    const mark = new Mark(() => this.stop(cell));
    this.marks.set(cell, mark);
    mark.setReachable(cell === this.panel.content.activeCell);
    cell.node.append(mark.node);
    return mark;
  }

  private reach(notebook: Notebook, active: Cell | null): void {
    for (const cell of notebook.widgets) {
      this.marks.get(cell)?.setReachable(cell === active);
    }
  }

  private scheduled(_: unknown, { notebook, cell }: { notebook: Notebook; cell: Cell }): void {
    if (notebook === this.panel.content && cell.model.type === 'code') {
      this.sent.add(cell.model.id);
      this.draw();
    }
  }

  private executed(_: unknown, { notebook, cell }: { notebook: Notebook; cell: Cell }): void {
    if (notebook === this.panel.content && cell.model.type === 'code') {
      this.sent.delete(cell.model.id);
      this.known.set(cell.model.id, { ...standing('unknown', 'it has just ended'), looked: false });
      this.refused = null;
      this.rhythm.request(!this.sent.size);
      this.draw();
    }
  }

  /** What the last kernel knew is not what the next one knows. */
  private forget(): void {
    this.sent.clear();
    this.known.clear();
    this.refused = null;
    this.rhythm.reset();
    this.look();
  }

  private connected(_: ISessionContext, status: Jupyter.ConnectionStatus): void {
    if (status === 'connected') {
      this.look();
    }
  }

  private follow(_: ISessionContext, status: Jupyter.Status): void {
    const isGone = RESTARTS.includes(status);
    if (isGone || this.isGone) {
      this.forget();
    }
    this.isGone = isGone;
  }
}

function sourceOf(cell: Cell): string {
  return cell.model.sharedModel.getSource();
}
