/** How does one look through a million rows?  Only those in view are on the page, and asked for a hundred at a time. */

import { button, element } from '../style/dom';
import type { Column } from './rows';

/** Some rows, and how many there are. */
export interface Part<Row> {
  rows: Row[];
  count: number;
}

export interface Order {
  sort: string;
  descending: boolean;
}

const ROW = 28;
const GAP = 14;
const SIDES = 20;
const NARROW = 340;
const PAGE = 100;
const KEPT = 40;
/** Browsers end an element's height at some ten million pixels; a longer table scrolls faster than its bar. */
const TALLEST = 8_000_000;

let grids = 0;

export class Grid<Row> {
  readonly node: HTMLElement;
  order: Order = { sort: 'when', descending: true };
  private readonly body = element('div', { class: 'rms-grid-body', role: 'rowgroup' });
  private readonly head: HTMLElement;
  private readonly headRow: HTMLElement;
  private readonly headers: HTMLElement[];
  private template = '';
  private fitting: Column<Row>[] = [];
  private readonly name = `rms-grid-${++grids}`;
  private readonly pages = new Map<number, { rows: Row[]; age: number }>();
  private age = 0;
  private asking = false;
  private count = 0;
  private first = 0;
  private scrolled = -1;
  private active = -1;
  /** The row that was chosen before it was there. */
  private awaited = -1;

  constructor(
    label: string,
    private readonly columns: Column<Row>[],
    private readonly load: (order: Order, offset: number, limit: number) => Promise<Part<Row>>,
    private readonly open: (row: Row) => void
  ) {
    this.headers = columns.map(column => this.header(column));
    this.headRow = element('div', { class: 'rms-row', role: 'row', 'aria-rowindex': '1' }, ...this.headers);
    this.head = element('div', { class: 'rms-grid-head', role: 'rowgroup' }, this.headRow);
    this.node = element('div', { class: 'rms-grid', role: 'grid', tabindex: '0', 'aria-label': label }, this.head, this.body);
    this.node.addEventListener('scroll', () => this.scroll());
    this.node.addEventListener('keydown', event => this.press(event));
    this.body.addEventListener('click', event => this.click(event));
    new ResizeObserver(() => this.resize()).observe(this.node);
    this.markOrder();
    this.fit(columns);
  }

  /** Asks again for what is in view; what is there is shown until the answer comes. */
  refresh(): void {
    this.age++;
    void this.ask();
  }

  /** As `refresh`, from the first row on. */
  restart(): void {
    this.active = this.awaited = -1;
    this.first = this.scrolled = this.node.scrollTop = 0;
    this.pages.clear();
    this.node.setAttribute('aria-busy', 'true');
    this.refresh();
  }

  private header(column: Column<Row>): HTMLElement {
    const { label, sort } = column;
    const inside = sort === undefined ? label : button(label, () => this.sortBy(sort), { class: 'rms-sort' });
    const cell = element('div', { role: 'columnheader', ...(column.numeric ? { class: 'rms-numeric' } : {}) }, inside);
    return cell;
  }

  private sortBy(sort: string): void {
    this.order = { sort, descending: this.order.sort === sort ? !this.order.descending : true };
    this.markOrder();
    this.restart();
  }

  private markOrder(): void {
    this.columns.forEach(({ sort }, index) => {
      if (sort !== undefined) {
        const way = sort === this.order.sort ? (this.order.descending ? 'descending' : 'ascending') : 'none';
        this.headers[index]!.setAttribute('aria-sort', way);
      }
    });
  }

  private resize(): void {
    if (this.node.clientWidth) {
      this.fit(fitting(this.columns, this.node.clientWidth), this.node.clientWidth < NARROW);
      this.draw();
      void this.ask();
    }
  }

  private fit(columns: Column<Row>[], isNarrow = false): void {
    this.fitting = columns;
    const pixels = ({ width, narrow }: Column<Row>) => (isNarrow && narrow) || width;
    const size = (column: Column<Row>) => (column.grow ? `minmax(${pixels(column)}px, ${column.grow}fr)` : `${pixels(column)}px`);
    this.template = columns.map(size).join(' ');
    this.columns.forEach((column, index) => (this.headers[index]!.hidden = !columns.includes(column)));
    this.headRow.style.gridTemplateColumns = this.template;
    this.head.style.minWidth = this.body.style.minWidth = `${widthOf(columns, isNarrow)}px`;
  }

  // Which rows are in view ------------------------------------------------------------------------------------------

  private get height(): number {
    return Math.max(ROW, this.node.clientHeight - this.head.offsetHeight);
  }

  private get whole(): number {
    return Math.min(this.count * ROW, TALLEST);
  }

  /** Where the first row stands in the body. */
  private get top(): number {
    return this.whole < TALLEST ? this.first * ROW : this.node.scrollTop;
  }

  private get inView(): number {
    return Math.ceil(this.height / ROW);
  }

  private scroll(): void {
    if (Math.abs(this.node.scrollTop - this.scrolled) >= 1) {
      this.scrolled = this.node.scrollTop;
      this.first =
        this.whole < TALLEST
          ? Math.floor(this.scrolled / ROW)
          : Math.round((this.scrolled / (this.whole - this.height)) * Math.max(0, this.count - this.inView + 1));
      this.draw();
      void this.ask();
    }
  }

  /** Scrolls as far as it takes to have a row in view. */
  private reveal(index: number): void {
    const fit = Math.max(1, Math.floor(this.height / ROW));
    if (index >= this.first && index < this.first + fit) {
      return;
    }
    this.first = Math.max(0, index < this.first ? index : index - fit + 1);
    this.node.scrollTop =
      this.whole < TALLEST ? this.first * ROW : (this.first / Math.max(1, this.count - this.inView + 1)) * (this.whole - this.height);
    this.scrolled = this.node.scrollTop;
  }

  // Asking ----------------------------------------------------------------------------------------------------------

  private missing(): number | undefined {
    const last = Math.max(this.first, Math.min(this.count, this.first + this.inView) - 1);
    const pages = [Math.floor(this.first / PAGE), Math.floor(last / PAGE)];
    return pages.find(page => this.pages.get(page)?.age !== this.age);
  }

  /** Asks for one page at a time, so that what was scrolled past meanwhile is not asked for. */
  private async ask(): Promise<void> {
    const page = this.missing();
    if (this.asking || page === undefined) {
      return;
    }
    this.asking = true;
    const age = this.age;
    try {
      const found = await this.load(this.order, page * PAGE, PAGE);
      if (age === this.age) {
        this.take(page, found);
      }
    } catch {
      this.pages.set(page, { rows: [], age });
    } finally {
      this.asking = false;
    }
    if (age === this.age) {
      this.node.removeAttribute('aria-busy');
    }
    this.draw();
    this.openAwaited();
    void this.ask();
  }

  private take(page: number, found: Part<Row>): void {
    this.count = found.count;
    this.pages.delete(page);
    this.pages.set(page, { rows: found.rows, age: this.age });
    for (const old of [...this.pages.keys()].slice(0, -KEPT)) {
      this.pages.delete(old);
    }
    this.node.setAttribute('aria-rowcount', String(this.count + 1));
    this.body.style.height = `${this.whole}px`;
    this.first = Math.min(this.first, Math.max(0, this.count - 1));
  }

  // Drawing ---------------------------------------------------------------------------------------------------------

  private draw(): void {
    const end = Math.min(this.count, this.first + this.inView + 1);
    const rows: HTMLElement[] = [];
    for (let index = this.first; index < end; index++) {
      const row = this.row(index);
      row.style.transform = `translateY(${this.top + (index - this.first) * ROW}px)`;
      rows.push(row);
    }
    this.body.replaceChildren(...rows);
    if (this.active >= this.first && this.active < end) {
      this.node.setAttribute('aria-activedescendant', `${this.name}-${this.active}`);
    } else {
      this.node.removeAttribute('aria-activedescendant');
    }
  }

  private at(index: number): Row | undefined {
    return this.pageAt(index)[index % PAGE];
  }

  private pageAt(index: number): Row[] {
    return this.pages.get(Math.floor(index / PAGE))?.rows ?? [];
  }

  private row(index: number): HTMLElement {
    const row = this.at(index);
    const cells = this.fitting.map(column =>
      element(
        'div',
        { role: 'gridcell', ...(column.numeric ? { class: 'rms-numeric' } : {}) },
        row ? column.cell(row, this.pageAt(index)) : '…'
      )
    );
    const node = element(
      'div',
      { class: 'rms-row', role: 'row', id: `${this.name}-${index}`, 'aria-rowindex': String(index + 2) },
      ...cells
    );
    node.setAttribute('aria-selected', String(index === this.active));
    node.style.gridTemplateColumns = this.template;
    return node;
  }

  /** Which row is under the pointer; rows may have been drawn anew since it was pressed. */
  private under(event: MouseEvent): number {
    return this.first + Math.floor((event.clientY - this.body.getBoundingClientRect().top - this.top) / ROW);
  }

  // Choosing --------------------------------------------------------------------------------------------------------

  /** While other rows are on their way, those on the page are not those that a click would open. */
  private click(event: MouseEvent): void {
    if (!this.node.hasAttribute('aria-busy')) {
      this.choose(this.under(event));
    }
  }

  private choose(index: number): void {
    this.active = this.awaited = index;
    this.draw();
    this.openAwaited();
  }

  private openAwaited(): void {
    const row = this.at(this.awaited);
    if (row) {
      this.awaited = -1;
      this.open(row);
    }
  }

  private press(event: KeyboardEvent): void {
    const fit = Math.max(1, Math.floor(this.height / ROW));
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: fit, PageUp: -fit, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (event.target !== this.node || !this.count) {
      return;
    }
    if (step !== undefined) {
      this.awaited = -1;
      this.active = Math.max(0, Math.min(this.count - 1, (this.active < 0 ? this.first - Math.sign(step) : this.active) + step));
      this.reveal(this.active);
      this.draw();
      void this.ask();
    } else if ((event.key === 'Enter' || event.key === ' ') && this.active >= 0) {
      this.choose(this.active);
    } else {
      return;
    }
    event.preventDefault();
  }
}

type Sized = Pick<Column<never>, 'width' | 'narrow' | 'spare'>;

/** The columns that there is room for: spare ones go, the last first. */
export function fitting<Own extends Sized>(columns: Own[], room: number): Own[] {
  let kept = columns;
  while (widthOf(kept, room < NARROW) > room) {
    const last = kept.filter(column => column.spare).at(-1);
    if (!last) {
      break;
    }
    kept = kept.filter(column => column !== last);
  }
  return kept;
}

function widthOf(columns: Sized[], isNarrow: boolean): number {
  return columns.reduce((sum, { width, narrow }) => sum + ((isNarrow && narrow) || width) + GAP, SIDES - GAP);
}
