/** How are figures looked through?  As small pictures, each asked for when it comes into view; by words, SQL or a parameter, two side by side. */

import type { FigureRow } from '../generated/payload';
import { pageOf, type Kernel, type Page } from '../kernel/kernel';
import { button, element, keepingFocus, said, unpressed } from '../style/dom';
import { differing, grouped, sideBySide } from './alike';
import type { Lineage } from './details';
import { when } from './rows';
import { Filter } from './table';

const AT_ONCE = 24;
/** How the ids of figures begin that were saved: they are on record by their tasks. */
const SAVED = 'saved:';
const SEARCH = "Search by words, or WHERE pipe = 'plot' …";

export class FiguresView {
  readonly node: HTMLElement;
  private readonly filter: Filter;
  private readonly which = element(
    'select',
    { 'aria-label': 'which figures' },
    element('option', { value: '' }, 'given or written by calls'),
    element('option', { value: 'saved' }, 'saved by %rms figures')
  );
  private readonly by = element('select', { 'aria-label': 'group figures by a parameter' });
  private readonly pair = element('div', { class: 'rms-pair', role: 'group', 'aria-label': 'side by side', hidden: '' });
  private readonly cards = element('div', { class: 'rms-cards', role: 'group', 'aria-label': 'figures' });
  private readonly more = button('More', () => void this.load());
  private rows: FigureRow[] = [];
  private chosen: FigureRow[] = [];
  /** The pictures that were drawn; they move with their figures when these are grouped otherwise. */
  private readonly pictures = new Map<string, HTMLElement>();
  private readonly redraw: () => void;
  private age = 0;

  constructor(
    private readonly kernel: Kernel,
    private readonly lineage: Lineage
  ) {
    this.filter = new Filter('figures', () => this.refresh(), SEARCH);
    this.filter.node.append(this.which, this.by);
    this.which.addEventListener('input', () => this.restart());
    this.by.addEventListener('input', () => this.draw());
    const more = element('div', { class: 'rms-more' }, this.more);
    this.node = element('div', {}, this.filter.node, this.pair, element('div', { class: 'rms-scroll' }, this.cards, more));
    this.redraw = unpressed(this.node, () => {
      this.offer();
      this.draw();
    });
  }

  refresh(): void {
    this.age++;
    void this.load(true);
  }

  private restart(): void {
    this.rows = [];
    this.closePair();
    this.refresh();
  }

  private async load(anew = false): Promise<void> {
    const age = this.age;
    const limit = anew ? Math.max(AT_ONCE, this.rows.length) : AT_ONCE;
    try {
      const offset = anew ? 0 : this.rows.length;
      const look = { words: this.filter.words, offset, limit };
      const page = this.which.value ? await this.kernel.ask({ ask: 'saved', ...look }) : await pageOf(this.kernel, 'figures', look);
      if (age === this.age) {
        this.take(page, anew);
      }
    } catch (refused) {
      this.filter.tellError(refused);
    }
  }

  private take(page: Page<'figures'>, anew: boolean): void {
    this.filter.tell(page);
    const rows = anew ? page.rows : [...this.rows, ...page.rows];
    this.more.hidden = rows.length >= page.count;
    if (JSON.stringify(rows) !== JSON.stringify(this.rows)) {
      this.rows = rows;
      this.redraw();
    }
  }

  private offer(): void {
    const before = this.by.value;
    const names = differing(this.rows);
    const options = names.map(name => element('option', { value: name }, `by ${name}`));
    this.by.replaceChildren(element('option', { value: '' }, names.length ? 'by a parameter that differs' : 'latest first'), ...options);
    this.by.value = names.includes(before) ? before : '';
  }

  private draw(): void {
    const by = this.by.value;
    const groups = by ? grouped(this.rows, by) : [['', this.rows] as [string, FigureRow[]]];
    const drawn = groups.flatMap(([value, rows]) => {
      const label = by ? `${by} = ${value || '(none)'}` : 'figures';
      const list = element('div', { class: 'rms-figures', role: 'list', 'aria-label': label }, ...rows.map(row => this.card(row)));
      return by ? [element('h4', { class: 'rms-mono rms-by' }, label), list] : [list];
    });
    keepingFocus(this.cards, () => this.cards.replaceChildren(...drawn));
  }

  private card(row: FigureRow): HTMLElement {
    const name = row.path ? row.name : row.call;
    const label = element('div', { class: 'rms-mono rms-text', title: name }, name);
    const call = row.path ? element('div', { class: 'rms-mono rms-text rms-muted', title: row.call }, row.call) : null;
    const check = element('input', { type: 'checkbox', 'aria-label': `side by side: ${name}`, title: 'side by side' });
    check.checked = this.chosen.some(({ id }) => id === row.id);
    check.addEventListener('change', () => this.choose(row, check.checked));
    const foot = element('div', { class: 'rms-muted' }, check, ' ', when(row.when), ' · ');
    foot.append(
      button('lineage', () => this.lineage(row.id.startsWith(SAVED) ? row.task : row.id), {
        class: 'rms-link',
        'aria-label': `lineage of ${name}`
      })
    );
    return element('div', { class: 'rms-figure', role: 'listitem' }, this.picture(row, name), label, call, foot);
  }

  private picture(row: FigureRow, name: string): HTMLElement {
    const known = this.pictures.get(row.id);
    if (known) {
      return known;
    }
    const picture = element('div', { class: 'rms-picture' });
    this.pictures.set(row.id, picture);
    const observer = new IntersectionObserver(entries => {
      if (entries.some(entry => entry.isIntersecting)) {
        observer.disconnect();
        void this.show(picture, row.id, name);
      }
    });
    observer.observe(picture);
    return picture;
  }

  private async show(picture: HTMLElement, id: string, name: string, large = false): Promise<void> {
    try {
      const { url, why } = await this.kernel.ask({ ask: 'figure', id, large });
      picture.replaceChildren(url.startsWith('data:image/') ? element('img', { src: url, alt: name }) : why);
    } catch (refused) {
      picture.textContent = said(refused);
    }
  }

  // Two side by side ---------------------------------------------------------------------------------------------------

  /** Of three that were chosen, the first one gives way. */
  private choose(row: FigureRow, is: boolean): void {
    const others = this.chosen.filter(({ id }) => id !== row.id);
    this.chosen = is ? [...others.slice(-1), row] : others;
    this.draw();
    this.drawPair();
  }

  private drawPair(): void {
    const [one, other] = this.chosen;
    this.pair.hidden = !one;
    if (!one || !other) {
      const what = one ? 'Choose another one to see the two side by side.' : '';
      this.pair.replaceChildren(element('p', { class: 'rms-muted', role: 'status' }, what));
      return;
    }
    const pictures = [one, other].map(row => {
      const picture = element('div', { class: 'rms-picture' });
      void this.show(picture, row.id, row.name || row.call, true);
      return element('td', {}, picture);
    });
    const names = [one, other].map(row =>
      element('td', { class: 'rms-mono rms-muted' }, `${row.path ? row.name : row.call} · ${when(row.when)}`)
    );
    const params = sideBySide(one, other).map(([name, first, second, differs]) =>
      element(
        'tr',
        differs ? { class: 'rms-differs' } : {},
        element('th', { scope: 'row', class: 'rms-mono' }, name),
        ...[first, second].map(value => element('td', { class: 'rms-mono' }, value))
      )
    );
    const close = button('×', () => this.closePair(), { class: 'rms-close', 'aria-label': 'Close side by side' });
    const table = element(
      'table',
      {},
      element('tbody', {}, element('tr', {}, element('td', {}, close), ...pictures), element('tr', {}, element('td'), ...names), ...params)
    );
    this.pair.replaceChildren(table);
  }

  private closePair(): void {
    this.chosen = [];
    this.draw();
    this.drawPair();
  }
}
