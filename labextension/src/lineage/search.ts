/** How does one look for something in the whole graph? */

import type { Found, Hit } from '../generated/payload';
import { button, element, status } from '../style/dom';

const PAUSE = 300;
const HINT = "words, pipe:align, status:failed, file:*.bam, k=15, or: where path like '%.bam'";

export interface SearchEvents {
  /** Rejects with what there is to say. */
  search(text: string): Promise<Found>;
  found(found: Found | null): void;
  goTo(hit: Hit): void;
}

export class SearchBox {
  readonly node: HTMLElement;
  /** The list of what was found, put where there is room for it. */
  readonly list = element('ul', { class: 'rms-hits', 'aria-label': 'Found' });
  private readonly input = element('input', { type: 'search', placeholder: `Search: ${HINT}`, 'aria-label': 'Search the graph' });
  private readonly count = element('span', { class: 'rms-muted rms-found', role: 'status' });
  private timer = 0;
  private asked = '';

  constructor(private readonly events: SearchEvents) {
    this.input.title = HINT;
    this.list.hidden = true;
    this.node = element('search', { class: 'rms-search' }, this.input, this.count);
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
    this.events.found(found);
    const drawn = Object.values(found?.drawn ?? {}).reduce((sum, count) => sum + count, 0);
    const [here, all] = [drawn, found?.total ?? 0].map(count => count.toLocaleString('en'));
    this.count.textContent = found ? `${here} of ${all} shown` : '';
    const items = (found?.hits ?? []).map((hit, n) => {
      const where = hit.place === null ? ' · not drawn' : '';
      const row = button('', () => this.pick(hit), { tabindex: n ? '-1' : '0' });
      row.append(status(hit.status), element('span', { class: 'rms-mono' }, hit.what), element('span', { class: 'rms-muted' }, where));
      return element('li', {}, row);
    });
    this.list.replaceChildren(...items);
    this.list.hidden = !shown || !items.length;
  }

  private pick(hit: Hit): void {
    this.list.hidden = true;
    this.events.goTo(hit);
  }

  private keyInInput(event: KeyboardEvent): void {
    if (event.key === 'Enter') {
      void this.ask(this.input.value.trim());
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
