/** Which part of the drawing is seen, and how large? */

const SMALLEST = 0.1;
const LARGEST = 2.5;

export interface Size {
  width: number;
  height: number;
}

export class Camera {
  x = 0;
  y = 0;
  scale = 1;

  /** Show all of a drawing, no larger than it is and no smaller than `least`; what is cut off is away from `focus`. */
  fit(drawing: Size, frame: Size, least: number, focus: { x: number; y: number }): void {
    this.scale = Math.max(least, Math.min(1, frame.width / drawing.width, frame.height / drawing.height));
    this.x = along(drawing.width * this.scale, frame.width, focus.x * this.scale);
    this.y = along(drawing.height * this.scale, frame.height, focus.y * this.scale);
  }

  zoom(factor: number, at: { x: number; y: number }): void {
    const scale = Math.max(SMALLEST, Math.min(LARGEST, this.scale * factor));
    this.x = at.x - ((at.x - this.x) * scale) / this.scale;
    this.y = at.y - ((at.y - this.y) * scale) / this.scale;
    this.scale = scale;
  }

  /** Move as little as needed to see a box whole. */
  reveal(box: { x: number; y: number; width: number; height: number }, frame: Size): void {
    this.x = within(this.x, box.x * this.scale, box.width * this.scale, frame.width);
    this.y = within(this.y, box.y * this.scale, box.height * this.scale, frame.height);
  }

  get transform(): string {
    return `translate(${this.x.toFixed(2)} ${this.y.toFixed(2)}) scale(${this.scale.toFixed(4)})`;
  }
}

/** Centre what fits; else put the focus in the middle, as far as the drawing goes. */
function along(drawing: number, frame: number, focus: number): number {
  return drawing <= frame ? (frame - drawing) / 2 : Math.min(0, Math.max(frame - drawing, frame / 2 - focus));
}

function within(offset: number, start: number, length: number, frame: number): number {
  const margin = 12;
  if (offset + start < margin) {
    return margin - start;
  }
  return Math.min(offset, frame - margin - start - length);
}
