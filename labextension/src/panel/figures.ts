/** How are figures looked through?  As small pictures, each asked for when it comes into view. */

import type { FigureRow } from '../generated/payload';
import { pageOf, type Kernel, type Page } from '../kernel/kernel';
import { button, element, said } from '../style/dom';
import type { Lineage } from './details';
import { when } from './rows';
import { Filter } from './table';

const AT_ONCE = 24;

export class FiguresView {
  readonly node: HTMLElement;
  private readonly filter: Filter;
  private readonly cards = element('div', { class: 'rms-figures', role: 'list', 'aria-label': 'figures' });
  private readonly more = button('More', () => void this.load());
  private shown: string[] = [];
  private age = 0;

  constructor(
    private readonly kernel: Kernel,
    private readonly lineage: Lineage
  ) {
    this.filter = new Filter('figures', () => this.refresh());
    const more = element('div', { class: 'rms-more' }, this.more);
    this.node = element('div', {}, this.filter.node, element('div', { class: 'rms-scroll' }, this.cards, more));
  }

  refresh(): void {
    this.age++;
    void this.load(true);
  }

  private async load(anew = false): Promise<void> {
    const age = this.age;
    const limit = anew ? Math.max(AT_ONCE, this.shown.length) : AT_ONCE;
    try {
      const offset = anew ? 0 : this.shown.length;
      const page = await pageOf(this.kernel, 'figures', { words: this.filter.words, offset, limit });
      if (age === this.age) {
        this.take(page, anew);
      }
    } catch (refused) {
      this.filter.tellError(refused);
    }
  }

  private take(page: Page<'figures'>, anew: boolean): void {
    this.filter.tell(page);
    const ids = page.rows.map(row => row.id);
    if (!anew || ids.join() !== this.shown.join()) {
      const cards = page.rows.map(row => this.card(row));
      this.shown = anew ? ids : [...this.shown, ...ids];
      if (anew) {
        this.cards.replaceChildren(...cards);
      } else {
        this.cards.append(...cards);
      }
    }
    this.more.hidden = this.shown.length >= page.count;
  }

  private card(row: FigureRow): HTMLElement {
    const name = row.path ? row.name : row.call;
    const picture = element('div', { class: 'rms-picture' });
    const label = element('div', { class: 'rms-mono rms-text' }, name);
    const call = row.path ? element('div', { class: 'rms-mono rms-text rms-muted' }, row.call) : null;
    const foot = element('div', { class: 'rms-muted' }, when(row.when), ' · ');
    foot.append(button('lineage', () => this.lineage(row.id), { class: 'rms-link', 'aria-label': `lineage of ${name}` }));
    const observer = new IntersectionObserver(entries => {
      if (entries.some(entry => entry.isIntersecting)) {
        observer.disconnect();
        void this.draw(picture, row.id, name);
      }
    });
    observer.observe(picture);
    return element('div', { class: 'rms-figure', role: 'listitem' }, picture, label, call, foot);
  }

  private async draw(picture: HTMLElement, id: string, name: string): Promise<void> {
    try {
      const { url, why } = await this.kernel.ask({ ask: 'figure', id });
      picture.replaceChildren(url.startsWith('data:image/') ? element('img', { src: url, alt: name }) : why);
    } catch (refused) {
      picture.textContent = said(refused);
    }
  }
}
