/** How does one look for something in the whole graph? */

import type { Found, Hit } from '../generated/payload';
import { button, element, status } from '../style/dom';

const PAUSE = 300;
const HINT = "words, pipe:align, k=15, status:failed, slowest:8, file:*.bam, or: where path like '%.bam'";
/** How many are taken out of those alike at once. */
export const TAKEN_OUT = 8;

/** Where something that was found is drawn, and whether with others alike. */
export interface Where {
  says: string;
  grouped: boolean;
}

export interface SearchEvents {
  /** Rejects with what there is to say. */
  search(text: string): Promise<Found>;
  /** `only`: all others are to be hidden, but for what leads to them. */
  found(found: Found | null, only: boolean): void;
  where(hit: Hit): Where;
  /** They are to stand apart from others alike. */
  takeOut(hits: Hit[]): void;
  goTo(hit: Hit): void;
}

export class SearchBox {
  readonly node: HTMLElement;
  /** The list of what was found, put where there is room for it. */
  readonly list = element('ul', { class: 'rms-hits', 'aria-label': 'Found' });
  private readonly input = element('input', { type: 'search', placeholder: `Search: ${HINT}`, 'aria-label': 'Search the graph' });
  private readonly count = element('span', { class: 'rms-muted rms-found', role: 'status' });
  private readonly take = button('Take out', () => this.events.takeOut(this.grouped));
  private readonly only = button('Only these', () => this.turn(!this.isOnly), {
    'aria-pressed': 'false',
    title: 'Hide all but what was found and what leads to it'
  });
  private shown: Found | null = null;
  private grouped: Hit[] = [];
  private timer = 0;
  private asked = '';

  constructor(private readonly events: SearchEvents) {
    this.input.title = HINT;
    this.list.hidden = this.take.hidden = this.only.hidden = true;
    this.node = element('search', { class: 'rms-search' }, this.input, this.count, this.take, this.only);
    this.input.addEventListener('input', () => this.soon());
    this.input.addEventListener('focus', () => (this.list.hidden = !this.list.childElementCount));
    this.input.addEventListener('keydown', event => this.keyInInput(event));
    this.list.addEventListener('keydown', event => this.keyInList(event));
  }

  dispose(): void {
    window.clearTimeout(this.timer);
  }

  /** Ask again: what is drawn has changed. */
  refresh(): void {
    if (this.asked) {
      const shown = !this.list.hidden;
      void this.ask(this.asked, shown);
    }
  }

  private soon(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(this.input.value.trim()), PAUSE);
  }

  private async ask(text: string, shown = true): Promise<void> {
    window.clearTimeout(this.timer);
    this.asked = text;
    if (!text) {
      this.show(null, false);
      return;
    }
    try {
      const found = await this.events.search(text);
      if (text === this.asked) {
        this.show(found, shown);
      }
    } catch (error) {
      if (text === this.asked) {
        this.show(null, false);
        this.count.textContent = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
      }
    }
  }

  private show(found: Found | null, shown: boolean): void {
    this.shown = found;
    this.mark();
    const drawn = Object.values(found?.drawn ?? {}).reduce((sum, count) => sum + count, 0);
    const [here, all] = [drawn, found?.total ?? 0].map(count => count.toLocaleString('en'));
    this.count.textContent = found ? `${here} of ${all} shown` : '';
    const items = (found?.hits ?? []).map((hit, n) => {
      const where = this.events.where(hit).says;
      const row = button('', () => this.pick(hit), { tabindex: n ? '-1' : '0' });
      row.append(status(hit.status), element('span', { class: 'rms-mono' }, hit.what), element('span', { class: 'rms-muted' }, where));
      return element('li', {}, row);
    });
    this.grouped = (found?.hits ?? []).filter(hit => this.events.where(hit).grouped).slice(0, TAKEN_OUT);
    this.take.hidden = !this.grouped.length;
    this.take.title = `Show ${this.grouped.length} of them apart from others alike`;
    this.list.replaceChildren(...items);
    this.list.hidden = !shown || !items.length;
  }

  /** Search for a text as if it had been typed. */
  look(text: string): void {
    this.input.value = text;
    this.input.focus();
    void this.ask(text);
  }

  /** Hide nothing. */
  showAll(): void {
    this.turn(false);
  }

  private turn(only: boolean): void {
    this.only.setAttribute('aria-pressed', String(only));
    this.list.hidden = true;
    this.mark();
  }

  private get isOnly(): boolean {
    return this.only.getAttribute('aria-pressed') === 'true';
  }

  private mark(): void {
    const drawn = Object.keys(this.shown?.drawn ?? {}).length > 0;
    this.only.hidden = !drawn;
    this.events.found(this.shown, drawn && this.isOnly);
  }

  private pick(hit: Hit): void {
    this.list.hidden = true;
    this.events.goTo(hit);
  }

  private keyInInput(event: KeyboardEvent): void {
    const text = this.input.value.trim();
    const first = text === this.asked && !this.list.hidden ? this.shown?.hits[0] : undefined;
    if (event.key === 'Enter' && first) {
      this.pick(first);
    } else if (event.key === 'Enter') {
      void this.ask(text);
    } else if (event.key === 'ArrowDown') {
      this.list.hidden = !this.list.childElementCount;
      this.rows()[0]?.focus();
      event.preventDefault();
    } else if (event.key === 'Escape') {
      this.list.hidden = true;
    }
  }

  private keyInList(event: KeyboardEvent): void {
    const rows = this.rows();
    const here = rows.indexOf(document.activeElement as HTMLButtonElement);
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const next = here + (event.key === 'ArrowDown' ? 1 : -1);
      (rows[next] ?? (next < 0 ? this.input : rows[here]))?.focus();
      event.preventDefault();
    } else if (event.key === 'Escape') {
      this.list.hidden = true;
      this.input.focus();
    }
  }

  private rows(): HTMLButtonElement[] {
    return [...this.list.querySelectorAll('button')];
  }
}
