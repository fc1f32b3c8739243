/** How does a table look?  A field for words, how many fit them, the rows, and beside them what is known of one. */

import type { Kernel } from '../kernel/kernel';
import { element, said } from '../style/dom';
import { Grid, type Order, type Page } from './grid';
import { Details, type Lineage } from './details';
import { COLUMNS, type Row, type TableName } from './rows';

const PAUSE = 200;

/** A field for words, and what was found. */
export class Filter {
  readonly node: HTMLElement;
  words = '';
  private readonly found = element('span', { class: 'rms-muted', role: 'status' });

  constructor(table: TableName, changed: () => void) {
    const field = element('input', {
      type: 'search',
      class: 'rms-filter',
      placeholder: 'Search by words',
      'aria-label': `filter ${table} by words`
    });
    let pause = 0;
    field.addEventListener('input', () => {
      clearTimeout(pause);
      pause = window.setTimeout(() => {
        this.words = field.value;
        changed();
      }, PAUSE);
    });
    this.node = element('div', { class: 'rms-head' }, field, this.found);
  }

  tell({ count, total }: Page): void {
    this.found.className = 'rms-muted';
    this.found.textContent = total ? `${count.toLocaleString('en')} of ${total.toLocaleString('en')}` : 'none yet';
  }

  tellError(refused: unknown): void {
    this.found.className = 'rms-error';
    this.found.textContent = said(refused);
  }
}

export class TableView {
  readonly node: HTMLElement;
  private readonly filter: Filter;
  private readonly grid: Grid;
  private readonly details: Details;

  constructor(
    private readonly kernel: Kernel,
    private readonly table: Exclude<TableName, 'figures'>,
    lineage: Lineage
  ) {
    this.filter = new Filter(table, () => this.grid.restart());
    this.grid = new Grid(
      table,
      COLUMNS[table],
      (order, offset, limit) => this.load(order, offset, limit),
      row => this.open(row)
    );
    this.details = new Details(kernel, lineage, () => this.grid.node.focus());
    this.node = element('div', {}, this.filter.node, element('div', { class: 'rms-look' }, this.grid.node, this.details.node));
  }

  refresh(): void {
    this.grid.refresh();
  }

  private async load(order: Order, offset: number, limit: number): Promise<Page> {
    try {
      const question = { ask: 'page', table: this.table, words: this.filter.words, ...order, offset, limit };
      const page = (await this.kernel.ask(question)) as unknown as Page;
      this.filter.tell(page);
      return page;
    } catch (refused) {
      this.filter.tellError(refused);
      throw refused;
    }
  }

  private open(row: Row): void {
    if (this.table === 'runs') {
      this.details.showRun(row);
    } else {
      void this.details.show(row.id);
    }
  }
}
