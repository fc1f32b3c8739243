/** How does one move about in a drawing?  By pointer and by keyboard alike. */

import type { Box, Payload } from '../generated/payload';
import { element, button } from '../style/dom';
import { shape } from '../style/svg';
import { drawBox, drawLinks, type Act } from './boxes';
import { Camera, type Size } from './camera';
import { between, hiddenBy, neighbours, seen, type Neighbours } from './folding';
import { Minimap } from './minimap';

const HELP =
  'Arrow keys go along the links, Enter tells more, plus opens, minus folds, F looks from here, 0 shows all, ' +
  'Shift and arrow keys move the drawing.';
const READABLE = 0.92;
const LOWEST = 150;
const HIGHEST = 500;
/** What the buttons and the small map take at the bottom. */
const FOOT = 36;

export interface CanvasEvents {
  /** A box was chosen; null: none is any more. */
  chosen(box: Box | null): void;
  /** More of a box was asked for: of those it stands for, or beyond it. */
  opened(box: Box): void;
  /** How high the drawing would like to be, in pixels. */
  sized(height: number): void;
  /** A box is to be what is looked from. */
  focused(box: Box): void;
}

export class Canvas {
  readonly node: HTMLElement;
  readonly svg: SVGSVGElement;
  private readonly world = shape('g', { class: 'rms-world' });
  private readonly camera = new Camera();
  private readonly minimap = new Minimap((x, y) => this.centre(x, y));
  private readonly resized = new ResizeObserver(() => this.reframe());
  private payload: Payload | null = null;
  private around: Neighbours = { inputs: [], outputs: [] };
  private folded = new Set<number>();
  private seen = new Set<number>();
  private buttons = new Map<number, SVGGElement>();
  private hits = new Set<number>();
  private only = false;
  private chosen = -1;
  private entry = 0;
  private frame: Size = { width: 0, height: 0 };
  private waiting = 0;
  private moved = false;

  constructor(private readonly events: CanvasEvents) {
    const help = element('span', { class: 'rms-unseen', id: `rms-help-${Math.random().toString(36).slice(2)}` }, HELP);
    this.svg = shape('svg', { class: 'rms-drawing', role: 'group', 'aria-describedby': help.id }, this.world);
    const zoom = element(
      'div',
      { class: 'rms-zoom', role: 'group', 'aria-label': 'Zoom' },
      button('−', () => this.zoom(1 / 1.3), { 'aria-label': 'Zoom out' }),
      button('Fit', () => this.fit(0), { 'aria-label': 'Show all' }),
      button('+', () => this.zoom(1.3), { 'aria-label': 'Zoom in' })
    );
    this.node = element('div', { class: 'rms-canvas' }, help, this.svg, zoom, this.minimap.node);
    this.svg.addEventListener('pointerdown', event => this.drag(event));
    this.svg.addEventListener('wheel', event => this.wheel(event), { passive: false });
    this.svg.addEventListener('keydown', event => this.key(event));
    this.resized.observe(this.node);
  }

  dispose(): void {
    this.resized.disconnect();
    cancelAnimationFrame(this.waiting);
  }

  /** Draw; where `anchor` is drawn before and after, it stays where it was. */
  show(payload: Payload, anchor = ''): void {
    const before = this.box(anchor);
    const keep = before && this.payload ? { x: before.x, y: before.y } : null;
    const again = this.payload?.view.id === payload.view.id;
    this.payload = payload;
    this.around = neighbours(payload);
    this.folded.clear();
    this.hits.clear();
    this.only = false;
    this.chosen = -1;
    this.entry = Math.max(0, this.numberOf(anchor));
    const label = `Lineage of ${payload.nodes[0]?.label ?? ''}, ${payload.nodes.length} boxes`;
    this.svg.setAttribute('aria-label', label);
    this.events.sized(Math.max(LOWEST, Math.min(HIGHEST, payload.height + FOOT)));
    this.redraw();
    const after = this.box(anchor);
    if (keep && after && again) {
      this.camera.x += (keep.x - after.x) * this.camera.scale;
      this.camera.y += (keep.y - after.y) * this.camera.scale;
      this.place();
    } else {
      this.moved = false;
      this.reframe();
    }
  }

  /** Mark boxes that were found; draw only them and what leads to them, if that is wanted. */
  mark(numbers: Iterable<number>, only: boolean): void {
    const again = only || this.only;
    this.hits = new Set(numbers);
    this.only = only;
    if (again && this.payload) {
      this.redraw();
    } else {
      this.markHits();
    }
  }

  isSeen(number: number): boolean {
    return this.seen.has(number);
  }

  private markHits(): void {
    this.buttons.forEach((node, number) => node.parentElement?.classList.toggle('rms-hit', this.hits.has(number)));
    this.minimap.mark(this.hits);
  }

  /** Choose a box by its id, show it and tell; gives whether it is drawn. */
  choose(id: string, focus = true): boolean {
    const number = this.numberOf(id);
    if (number < 0) {
      this.unchoose();
      return false;
    }
    if (!this.seen.has(number)) {
      this.folded.clear();
      this.redraw();
    }
    this.press(number, focus);
    return true;
  }

  unchoose(): void {
    this.buttons.get(this.chosen)?.setAttribute('aria-pressed', 'false');
    this.chosen = -1;
    this.events.chosen(null);
  }

  /** Hide what a box was made from (or, below the root, what was made from it); or show it again. */
  fold(id: string, fold: boolean): void {
    const number = this.numberOf(id);
    if (number < 0 || this.folded.has(number) === fold) {
      return;
    }
    this.folded[fold ? 'add' : 'delete'](number);
    this.entry = number;
    this.redraw();
    this.buttons.get(number)?.focus();
  }

  /** Whether a box has a branch that can be folded, and whether it is. */
  branch(id: string): 'none' | 'open' | 'folded' {
    const number = this.numberOf(id);
    return this.folded.has(number) ? 'folded' : this.canFold(number) ? 'open' : 'none';
  }

  fit(least = READABLE): void {
    if (this.payload) {
      const root = this.payload.nodes[0] ?? { x: 0, y: 0, width: 0 };
      const drawing = { width: this.payload.width, height: this.payload.height };
      const focus = { x: root.x + root.width / 2, y: root.y + this.payload.boxHeight / 2 };
      const room = { ...this.frame, height: this.frame.height - FOOT };
      this.camera.fit(drawing, room, least, focus);
      this.moved = least === 0;
      this.place();
    }
  }

  private redraw(): void {
    const payload = this.payload as Payload;
    const wanted = this.only ? between(this.around, this.hits) : null;
    this.seen = new Set([...seen(this.around, this.folded)].filter(number => !wanted || wanted.has(number)));
    this.buttons.clear();
    const boxes = shape('g', { class: 'rms-boxes' });
    const order = [...this.seen].sort((a, b) => byPlace(payload.nodes[a] as Box, payload.nodes[b] as Box));
    for (const number of order) {
      const hidden = this.folded.has(number) ? hiddenBy(this.around, this.folded, number) : 0;
      const act = (act: Act): void => this.act(number, act);
      const place = drawBox(payload, number, { hidden, canFold: this.canFold(number) }, act);
      const node = place.querySelector<SVGGElement>('.rms-node') as SVGGElement;
      node.addEventListener('click', () => this.press(number, true));
      node.addEventListener('dblclick', () => this.act(number, 'open'));
      node.addEventListener('focus', () => this.reached(number));
      this.buttons.set(number, node);
      boxes.append(place);
    }
    this.world.replaceChildren(drawLinks(payload, this.seen), boxes);
    this.buttons.get(this.seen.has(this.entry) ? this.entry : 0)?.setAttribute('tabindex', '0');
    this.buttons.get(this.chosen)?.setAttribute('aria-pressed', 'true');
    this.markHits();
    this.minimap.draw(payload, this.seen);
    this.place();
  }

  private canFold(number: number): boolean {
    return number > 0 && !this.folded.has(number) && hiddenBy(this.around, this.folded, number) > 0;
  }

  private act(number: number, act: Act): void {
    const box = this.payload?.nodes[number];
    if (box && act === 'open') {
      this.events.opened(box);
    } else if (box) {
      this.fold(box.id, act === 'fold');
    }
  }

  private press(number: number, focus: boolean): void {
    const box = this.payload?.nodes[number];
    const node = this.buttons.get(number);
    if (box && node) {
      this.buttons.get(this.chosen)?.setAttribute('aria-pressed', 'false');
      this.chosen = number;
      node.setAttribute('aria-pressed', 'true');
      this.events.chosen(box);
      if (focus) {
        node.focus({ preventScroll: true });
      }
      this.reveal(number);
    }
  }

  private reached(number: number): void {
    this.buttons.get(this.entry)?.setAttribute('tabindex', '-1');
    this.entry = number;
    this.buttons.get(number)?.setAttribute('tabindex', '0');
    this.reveal(number);
  }

  private reveal(number: number): void {
    const box = this.payload?.nodes[number];
    if (box && this.frame.width) {
      this.camera.reveal({ ...box, height: (this.payload as Payload).boxHeight }, this.frame);
      this.place();
    }
  }

  private key(event: KeyboardEvent): void {
    const box = this.payload?.nodes[this.entry];
    if (!box || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const keys: Record<string, () => void> = {
      Enter: () => this.press(this.entry, true),
      ' ': () => this.press(this.entry, true),
      '+': () => this.more(box),
      '=': () => this.more(box),
      '-': () => this.fold(box.id, true),
      f: () => this.events.focused(box),
      '0': () => this.fit(0),
      Home: () => this.go(0),
      Escape: () => this.unchoose(),
      ArrowLeft: () => this.along(this.around.inputs),
      ArrowRight: () => this.along(this.around.outputs),
      ArrowUp: () => this.beside(-1),
      ArrowDown: () => this.beside(1)
    };
    const pan = PANS[event.key];
    if (event.shiftKey && pan) {
      this.pan(pan[0], pan[1]);
    } else if (keys[event.key]) {
      keys[event.key]?.();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private more(box: Box): void {
    if (this.branch(box.id) === 'folded') {
      this.fold(box.id, false);
    } else {
      this.events.opened(box);
    }
  }

  private go(number: number): void {
    this.buttons.get(number)?.focus({ preventScroll: true });
  }

  /** Go to the nearest box before or after. */
  private along(next: number[][]): void {
    const here = this.payload?.nodes[this.entry] as Box;
    const there = (next[this.entry] ?? []).filter(number => this.seen.has(number));
    const away = (number: number): number => Math.abs((this.payload?.nodes[number]?.y ?? 0) - here.y);
    const nearest = there.sort((a, b) => away(a) - away(b))[0];
    if (nearest !== undefined) {
      this.go(nearest);
    }
  }

  /** Go to the next box in the same layer; past its end, to the next layer. */
  private beside(step: number): void {
    const order = [...this.buttons.keys()];
    const number = order[order.indexOf(this.entry) + step];
    if (number !== undefined) {
      this.go(number);
    }
  }

  private drag(event: PointerEvent): void {
    if (event.button !== 0 || (event.target as Element).closest('.rms-place')) {
      return;
    }
    let [x, y] = [event.clientX, event.clientY];
    const move = (moved: PointerEvent): void => {
      this.pan(moved.clientX - x, moved.clientY - y);
      [x, y] = [moved.clientX, moved.clientY];
    };
    const stop = (): void => {
      this.svg.classList.remove('rms-dragged');
      this.svg.removeEventListener('pointermove', move);
    };
    this.svg.classList.add('rms-dragged');
    this.svg.setPointerCapture(event.pointerId);
    this.svg.addEventListener('pointermove', move);
    this.svg.addEventListener('lostpointercapture', stop, { once: true });
  }

  private wheel(event: WheelEvent): void {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const frame = this.svg.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY / 300), { x: event.clientX - frame.left, y: event.clientY - frame.top });
    }
  }

  private zoom(factor: number, at = { x: this.frame.width / 2, y: this.frame.height / 2 }): void {
    this.camera.zoom(factor, at);
    this.moved = true;
    this.place();
  }

  private pan(x: number, y: number): void {
    this.camera.x += x;
    this.camera.y += y;
    this.moved = true;
    this.place();
  }

  private centre(x: number, y: number): void {
    this.camera.x = this.frame.width / 2 - x * this.camera.scale;
    this.camera.y = this.frame.height / 2 - y * this.camera.scale;
    this.moved = true;
    this.place();
  }

  private reframe(): void {
    const { clientWidth, clientHeight } = this.node;
    this.frame = { width: clientWidth, height: clientHeight };
    if (clientWidth && !this.moved) {
      this.fit();
      this.reveal(this.chosen >= 0 ? this.chosen : 0);
    } else {
      this.place();
    }
  }

  /** Move the drawing with the next frame, however often it is asked for before. */
  private place(): void {
    cancelAnimationFrame(this.waiting);
    this.waiting = requestAnimationFrame(() => {
      this.world.setAttribute('transform', this.camera.transform);
      this.minimap.frame(this.camera, this.frame);
    });
  }

  private numberOf(id: string): number {
    return this.payload?.nodes.findIndex(box => box.id === id) ?? -1;
  }

  private box(id: string): Box | undefined {
    return this.payload?.nodes[this.numberOf(id)];
  }
}

const PANS: Record<string, [number, number]> = {
  ArrowLeft: [60, 0],
  ArrowRight: [-60, 0],
  ArrowUp: [0, 60],
  ArrowDown: [0, -60]
};

/** Layer by layer, and downward in each: the order of the keyboard and of screen readers. Old notebooks hold no layers. */
function byPlace(a: Box, b: Box): number {
  return a.layer - b.layer || a.x - b.x || a.y - b.y;
}
