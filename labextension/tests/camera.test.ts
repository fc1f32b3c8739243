import { describe, expect, it } from 'vitest';
import { Camera } from '../src/lineage/camera';

const FRAME = { width: 400, height: 200 };

/** Where a point of the drawing is on the screen. */
const screen = ({ x, y, scale }: Camera, point: { x: number; y: number }) => ({ x: x + point.x * scale, y: y + point.y * scale });

describe('to fit', () => {
  it('puts a small drawing in the middle, as large as it is', () => {
    const camera = new Camera();
    camera.fit({ width: 100, height: 50 }, FRAME, 0.75, { x: 0, y: 0 });
    expect(camera).toMatchObject({ x: 150, y: 75, scale: 1 });
  });

  it('shows all of a large drawing where it may be as small as it takes', () => {
    const camera = new Camera();
    camera.fit({ width: 4000, height: 1000 }, FRAME, 0, { x: 0, y: 0 });
    expect(camera).toMatchObject({ x: 0, y: 50, scale: 0.1 });
  });

  it('shows the part around the focus of what has to stay readable, and nothing beyond the drawing', () => {
    const [middle, end] = [new Camera(), new Camera()];
    middle.fit({ width: 4000, height: 100 }, FRAME, 0.5, { x: 2000, y: 50 });
    expect(screen(middle, { x: 2000, y: 50 })).toEqual({ x: 200, y: 100 });
    end.fit({ width: 4000, height: 100 }, FRAME, 0.5, { x: 3990, y: 50 });
    expect(screen(end, { x: 4000, y: 50 }).x).toBe(400);
  });
});

describe('to zoom', () => {
  it('leaves the point under the pointer where it is', () => {
    const camera = new Camera();
    const pointer = { x: 120, y: 80 };
    camera.zoom(1.3, pointer);
    camera.zoom(0.5, { x: 10, y: 10 });
    const before = screen(camera, { x: 50, y: 50 });
    camera.zoom(1.7, before);
    const after = screen(camera, { x: 50, y: 50 });
    expect(after.x).toBeCloseTo(before.x);
    expect(after.y).toBeCloseTo(before.y);
  });

  it('ends at a tenth, and at two and a half', () => {
    const camera = new Camera();
    camera.zoom(1e-6, { x: 0, y: 0 });
    expect(camera.scale).toBe(0.1);
    camera.zoom(1e9, { x: 0, y: 0 });
    expect(camera.scale).toBe(2.5);
  });
});

describe('to reveal', () => {
  const box = { width: 50, height: 40 };

  it('moves nothing where the box is seen whole', () => {
    const camera = new Camera();
    camera.reveal({ ...box, x: 100, y: 100 }, FRAME);
    expect(camera).toMatchObject({ x: 0, y: 0 });
  });

  it('moves as little as needed, to every side', () => {
    const camera = new Camera();
    camera.reveal({ ...box, x: 380, y: 190 }, FRAME);
    expect(camera).toMatchObject({ x: -42, y: -42 });
    camera.reveal({ ...box, x: 0, y: 0 }, FRAME);
    expect(camera).toMatchObject({ x: 12, y: 12 });
  });
});

describe('the transform', () => {
  it('is what SVG writes', () => {
    const camera = new Camera();
    camera.zoom(1.5, { x: 10, y: 20 });
    expect(camera.transform).toBe('translate(-5.00 -10.00) scale(1.5000)');
  });
});
