/** How does a table look?  A field for words, how many fit them, the rows, and beside them what is known of one. */

import type { Rows, RunRow } from '../generated/payload';
import { pageOf, type Kernel, type Page } from '../kernel/kernel';
import { element, said } from '../style/dom';
import { Grid, type Order } from './grid';
import { Details, type Lineage } from './details';
import { COLUMNS, type TableName } from './rows';

const PAUSE = 200;
const NOTHING = {
  tasks: 'Nothing has run yet: write %%rms above a cell that defines functions, and call one of them.',
  runs: 'Nothing has run yet: write %%rms above a cell that defines functions, and call one of them.',
  files: 'No file yet: those that are given to pipes, by their paths, and those that pipes write are listed here.',
  failures: 'No call has failed.'
} satisfies Record<TableName, string>;

/** A field for words, and what was found. */
export class Filter {
  readonly node: HTMLElement;
  words = '';
  private readonly found = element('span', { class: 'rms-muted', role: 'status' });

  constructor(table: keyof Rows, changed: () => void, placeholder = 'Search by words') {
    const field = element('input', {
      type: 'search',
      class: 'rms-filter',
      placeholder,
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

  tell({ count, total }: { count: number; total: number }): void {
    this.found.className = 'rms-muted';
    this.found.textContent = total ? `${count.toLocaleString('en')} of ${total.toLocaleString('en')}` : 'none yet';
  }

  tellError(refused: unknown): void {
    this.found.className = 'rms-error';
    this.found.textContent = said(refused);
  }
}

export class TableView<Table extends TableName> {
  readonly node: HTMLElement;
  private readonly filter: Filter;
  private readonly grid: Grid<Rows[Table]>;
  private readonly details: Details;
  private readonly nothing: HTMLElement;

  constructor(
    private readonly kernel: Kernel,
    private readonly table: Table,
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
    this.nothing = element('p', { class: 'rms-empty', hidden: '' }, NOTHING[table]);
    this.grid.node.addEventListener('keydown', event => event.key === 'Escape' && this.details.close());
    const look = element('div', { class: 'rms-look' }, this.grid.node, this.details.node);
    this.node = element('div', {}, this.filter.node, this.nothing, look);
  }

  refresh(): void {
    this.grid.refresh();
  }

  private async load(order: Order, offset: number, limit: number): Promise<Page<Table>> {
    try {
      const page = await pageOf(this.kernel, this.table, { words: this.filter.words, ...order, offset, limit });
      this.filter.tell(page);
      this.nothing.hidden = page.total > 0;
      return page;
    } catch (refused) {
      this.filter.tellError(refused);
      throw refused;
    }
  }

  private open(row: Rows[Table]): void {
    if (isRun(row)) {
      this.details.showRun(row);
    } else {
      void this.details.show(row.id);
    }
  }
}

function isRun(row: Rows[TableName]): row is RunRow {
  return 'code' in row;
}
