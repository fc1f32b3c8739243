/** What is the lineage view?  A drawing, what is told of the chosen box, and a search over the whole graph. */

import type { Answers, Box, Extent, Hit, Payload } from '../generated/payload';
import { toCell } from '../kernel/going';
import { Refused, type Kernel, type Question } from '../kernel/kernel';
import { button, element, said } from '../style/dom';
import { Canvas } from './canvas';
import { brief, full, query } from './details';
import { copyText, download, pictureOf } from './keep';
import { SearchBox, TAKEN_OUT, type Where } from './search';

const PATIENCE = 150;
const NO_KERNEL = new Refused('no kernel answers here', 'start one and run %rms open');

export class LineageView {
  readonly node: HTMLElement;
  private readonly canvas: Canvas;
  private readonly search: SearchBox;
  private readonly side = element('section', { class: 'rms-about', 'aria-label': 'Details' });
  private readonly says = element('div', { class: 'rms-says', role: 'status' });
  private readonly back = button('Back', () => this.goBack());
  private readonly up = button('Up', () => this.turn('up'), { title: 'What it was made from' });
  private readonly down = button('Down', () => this.turn('down'), { title: 'What was made from it' });
  private readonly history: Payload[] = [];
  private payload: Payload | null = null;
  private chosen = '';
  private waiting = 0;

  /** `kernel` gives the kernel that stands behind the view at the moment, if one does. */
  constructor(private readonly kernel: () => Kernel | null) {
    this.canvas = new Canvas({
      chosen: box => void this.tell(box),
      opened: box => void this.open(box),
      sized: height => this.node.style.setProperty('--rms-height', `${height}px`),
      focused: box => void this.lookFrom(box.id)
    });
    this.search = new SearchBox({
      search: text => this.ask({ ask: 'search', text, view: this.view }),
      found: (found, only) => this.canvas.mark(Object.keys(found?.drawn ?? {}).map(Number), only),
      where: hit => this.where(hit),
      takeOut: hits => void this.request({ apart: [...this.view.apart, ...hits.map(hit => hit.id)] }, this.view.id),
      goTo: hit => void this.goToHit(hit)
    });
    const take = [
      button('Copy as SQL', () => void this.copy(this.payload?.sql ?? '')),
      button('Copy as text', () => void this.copy(this.payload?.text ?? '')),
      button('SVG', () => this.save(), { title: 'Save as SVG' })
    ];
    const head = element('div', { class: 'rms-head' }, this.back, this.search.node, this.up, this.down, ...take);
    const body = element('div', { class: 'rms-halves' }, this.canvas.node, this.side);
    this.node = element(
      'section',
      { class: 'rms rms-box rms-lineage', 'data-lm-suppress-shortcuts': 'true', 'aria-label': 'Lineage' },
      head,
      element('div', { class: 'rms-over' }, this.search.list),
      body,
      this.says
    );
    this.side.hidden = true;
    this.back.hidden = true;
  }

  dispose(): void {
    this.canvas.dispose();
    this.search.dispose();
  }

  /** Draw; what `anchor` names stays where it is on the screen, and is chosen where it was. */
  show(payload: Payload, anchor = ''): void {
    this.payload = payload;
    this.up.setAttribute('aria-pressed', String(payload.view.up));
    this.down.setAttribute('aria-pressed', String(payload.view.down));
    this.back.hidden = !this.history.length;
    this.canvas.show(payload, anchor);
    this.search.refresh();
  }

  /** Draw what is around a node, and tell of it. */
  async lookFrom(id: string): Promise<void> {
    if (await this.request({ id, apart: [], further: [], up: true, down: true })) {
      this.canvas.choose(id);
    }
  }

  private get view(): Extent {
    return this.payload?.view ?? { id: '', up: true, down: true, depth: null, apart: [], further: [] };
  }

  private async ask<Ask extends keyof Answers>(question: Question<Ask>): Promise<Answers[Ask]> {
    const kernel = this.kernel();
    if (!kernel) {
      throw NO_KERNEL;
    }
    return kernel.ask({ store: this.payload?.store ?? '', ...question });
  }

  /** Draw another view; gives whether there is one. */
  private async request(change: Partial<Extent>, anchor = ''): Promise<boolean> {
    const asked = ++this.waiting;
    this.node.setAttribute('aria-busy', 'true');
    try {
      const payload = await this.ask({ ask: 'lineage', ...this.view, ...change });
      if (asked !== this.waiting) {
        return false;
      }
      this.says.textContent = '';
      if (this.payload && payload.view.id !== this.view.id) {
        this.history.push(this.payload);
      }
      this.show(payload, anchor);
      return true;
    } catch (error) {
      this.complain(error);
      return false;
    } finally {
      if (asked === this.waiting) {
        this.node.removeAttribute('aria-busy');
      }
    }
  }

  /** Show more of a box: some of those it stands for, or what is beyond it. */
  private async open(box: Box): Promise<void> {
    const hadFocus = this.node.contains(document.activeElement);
    const apart = box.count > 1 ? [...this.view.apart, ...box.members.slice(0, TAKEN_OUT)] : this.view.apart;
    const beyond = box.count === 1 && box.above + box.below > 0;
    const further = beyond ? [...this.view.further, box.id] : this.view.further;
    if ((box.count > 1 || beyond) && (await this.request({ apart, further }, box.id)) && hadFocus) {
      this.canvas.choose(box.id);
    }
  }

  private goBack(): void {
    const before = this.history.pop();
    if (before) {
      this.waiting++;
      this.show(before);
      this.closeSide();
    }
  }

  private turn(way: 'up' | 'down'): void {
    const other = way === 'up' ? 'down' : 'up';
    void this.request(this.view[way] ? { [way]: false, [other]: true } : { [way]: true }, this.view.id);
  }

  /** In which box something is drawn. */
  private where(hit: Hit): Where {
    const box = hit.place === null ? undefined : this.payload?.nodes[hit.place];
    if (!box || hit.place === null) {
      return { says: 'not drawn', grouped: false };
    }
    const says = box.count > 1 ? `in ${box.label}` : this.canvas.isSeen(hit.place) ? 'drawn' : 'folded away';
    return { says, grouped: box.count > 1 };
  }

  private async goToHit(hit: Hit): Promise<void> {
    const place = hit.place === null ? null : this.payload?.nodes[hit.place];
    if (place && place.count > 1) {
      await this.request({ apart: [...this.view.apart, hit.id] }, hit.id);
    }
    await this.goTo(hit.id);
  }

  private async goTo(id: string): Promise<void> {
    const drawn = this.payload?.nodes.findIndex(box => box.id === id && (box.count === 1 || this.chosen === id)) ?? -1;
    if (drawn < 0) {
      await this.lookFrom(id);
      return;
    }
    if (!this.canvas.isSeen(drawn)) {
      this.search.showAll();
    }
    this.canvas.choose(id);
  }

  /** Say at once what is known here, and all when the kernel has answered. */
  private async tell(box: Box | null): Promise<void> {
    if (!box) {
      this.closeSide();
      return;
    }
    this.chosen = box.id;
    const events = {
      goTo: (id: string) => void this.goTo(id),
      close: () => this.canvas.unchoose()
    };
    const show = (parts: HTMLElement[]): void => {
      this.side.replaceChildren(
        ...parts,
        query(box.sql, text => void this.copy(text))
      );
      this.side.hidden = false;
    };
    const slow = window.setTimeout(() => show(brief(box, this.actions(box), '…', events)), this.side.hidden ? 0 : PATIENCE);
    try {
      const told = await this.ask({ ask: 'details', id: box.id });
      if (this.chosen === box.id) {
        show(full(box.count, told, this.actions(box), events));
      }
    } catch (error) {
      if (this.chosen === box.id) {
        show(brief(box, this.actions(box), said(error), events));
      }
    } finally {
      window.clearTimeout(slow);
    }
  }

  private actions(box: Box): HTMLElement[] {
    const branch = this.canvas.branch(box.id);
    const actions: HTMLElement[] = [];
    if (box.count > 1) {
      actions.push(button(`Take ${Math.min(TAKEN_OUT, box.members.length)} out`, () => void this.open(box)));
    } else if (box.above + box.below > 0) {
      actions.push(button('Show more', () => void this.open(box)));
    }
    (box.searches ?? []).forEach(text => {
      const term = text.slice(text.indexOf(' ') + 1);
      actions.push(button(term, () => this.search.look(text), { title: `Search: ${text}`, class: 'rms-mono' }));
    });
    if (branch !== 'none') {
      const fold = branch === 'open';
      actions.push(button(fold ? 'Fold' : 'Unfold', () => this.refold(box, fold)));
    }
    if (box.id !== this.view.id) {
      actions.push(button('Look from here', () => void this.lookFrom(box.id)));
    }
    const cell = box.count === 1 ? toCell(box.id, this.payload?.store) : null;
    return cell ? [...actions, cell] : actions;
  }

  private refold(box: Box, fold: boolean): void {
    this.canvas.fold(box.id, fold);
    void this.tell(box);
  }

  private closeSide(): void {
    this.chosen = '';
    this.side.hidden = true;
    this.side.replaceChildren();
  }

  private async copy(text: string): Promise<void> {
    try {
      await copyText(text);
      this.says.textContent = 'Copied';
    } catch (error) {
      this.complain(error);
    }
  }

  private save(): void {
    if (this.payload) {
      const { width, height } = this.payload;
      download('lineage.svg', 'image/svg+xml', pictureOf(this.canvas.svg, width, height));
    }
  }

  private complain(error: unknown): void {
    this.says.textContent = said(error);
  }
}
