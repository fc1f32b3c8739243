/** Where in the whole drawing is what one sees?  For the pointer; shown where the drawing is larger than its frame. */

import type { Payload } from '../generated/payload';
import { shape } from '../style/svg';
import type { Camera, Size } from './camera';

const LARGEST: Size = { width: 150, height: 90 };

export class Minimap {
  readonly node = shape('svg', { class: 'rms-minimap', 'aria-hidden': 'true' });
  private readonly boxes = shape('g');
  private readonly window = shape('rect', { class: 'rms-window' });
  private whole: Size = { width: 1, height: 1 };
  private numbers: number[] = [];

  constructor(goTo: (x: number, y: number) => void) {
    this.node.append(this.boxes, this.window);
    const follow = (event: PointerEvent): void => {
      if (event.buttons === 1) {
        const frame = this.node.getBoundingClientRect();
        const x = ((event.clientX - frame.left) / frame.width) * this.whole.width;
        goTo(x, ((event.clientY - frame.top) / frame.height) * this.whole.height);
      }
    };
    this.node.addEventListener('pointerdown', follow);
    this.node.addEventListener('pointermove', follow);
  }

  draw(payload: Payload, seen: ReadonlySet<number>): void {
    this.whole = { width: payload.width, height: payload.height };
    const scale = Math.min(LARGEST.width / payload.width, LARGEST.height / payload.height);
    this.node.setAttribute('viewBox', `0 0 ${payload.width} ${payload.height}`);
    this.node.setAttribute('width', String(Math.max(30, payload.width * scale)));
    this.node.setAttribute('height', String(Math.max(14, payload.height * scale)));
    this.node.setAttribute('preserveAspectRatio', 'none');
    this.numbers = [...seen];
    this.boxes.replaceChildren(
      ...this.numbers.map(number => {
        const { x, y, width, status } = payload.nodes[number] as Payload['nodes'][number];
        return shape('rect', { x, y, width, height: payload.boxHeight, 'data-status': status });
      })
    );
  }

  mark(hits: ReadonlySet<number>): void {
    this.numbers.forEach((number, n) => this.boxes.children[n]?.classList.toggle('rms-hit', hits.has(number)));
  }

  frame(camera: Camera, frame: Size): void {
    const { scale } = camera;
    const all =
      camera.x >= -1 &&
      camera.y >= -1 &&
      camera.x + this.whole.width * scale <= frame.width + 1 &&
      camera.y + this.whole.height * scale <= frame.height + 1;
    this.node.style.display = all ? 'none' : '';
    const place = { x: -camera.x / scale, y: -camera.y / scale, width: frame.width / scale, height: frame.height / scale };
    Object.entries(place).forEach(([name, value]) => this.window.setAttribute(name, value.toFixed(1)));
  }
}
