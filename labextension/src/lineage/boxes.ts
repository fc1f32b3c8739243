/** How is a lineage drawn?  Rounded boxes for calls, square ones for what they read and made. */

import type { Box, Payload } from '../generated/payload';
import { mark, shape } from '../style/svg';

const FINE = new Set(['done', 'current']);

/** What a click on a badge, or a key, does with a box. */
export type Act = 'open' | 'fold' | 'unfold';

export interface State {
  hidden: number;
  canFold: boolean;
}

/** The box as a button, with its badges beside it: those are for the pointer, the keyboard has its own ways. */
export function drawBox(payload: Payload, number: number, state: State, act: (act: Act) => void): SVGGElement {
  const box = payload.nodes[number] as Box;
  const { x, y, width } = box;
  const height = payload.boxHeight;
  const rx = box.kind === 'task' ? height / 2 : 4;
  const button = shape('g', {
    class: 'rms-node',
    role: 'button',
    tabindex: -1,
    'aria-label': nameOf(box, state),
    'aria-pressed': 'false'
  });
  if (box.count > 1) {
    button.append(shape('rect', { class: 'rms-behind', x: x + 3, y: y + 3, width, height, rx }));
  }
  button.append(
    shape('title', {}, box.title),
    shape('rect', { class: 'rms-face', x, y, width, height, rx }),
    shape('text', { class: 'rms-label', x: x + width / 2, y: y + 17.5 }, box.label),
    shape('text', { class: 'rms-sub', x: x + width / 2, y: y + 32 }, box.sub)
  );
  if (!FINE.has(box.status)) {
    const at = `translate(${x + 8} ${y + 6})`;
    button.append(shape('path', { class: 'rms-mark', d: mark(box.status), transform: at }));
  }
  const whole = shape('g', { class: 'rms-place', 'data-status': box.status, 'data-kind': box.kind }, button);
  if (number === 0) {
    whole.classList.add('rms-root');
  }
  const middle = y + height / 2;
  if (state.hidden) {
    whole.append(badge(x + width / 2, y + height, `+${state.hidden}`, () => act('unfold')));
  } else if (box.above) {
    whole.append(badge(x, middle, `+${short(box.above)}`, () => act('open')));
  } else if (state.canFold) {
    whole.append(badge(x + width / 2, y + height, '−', () => act('fold'), 'rms-quiet'));
  }
  if (box.below && !state.hidden) {
    whole.append(badge(x + width, middle, `+${short(box.below)}`, () => act('open')));
  }
  if (box.count > 1) {
    whole.append(badge(x + width - 2, y + 2, '+', () => act('open')));
  }
  return whole;
}

export function drawLinks(payload: Payload, seen: ReadonlySet<number>): SVGGElement {
  const links = shape('g', { class: 'rms-links' });
  for (const link of payload.links) {
    if (seen.has(link.from) && seen.has(link.to)) {
      const path = shape('path', { d: link.path, 'data-from': link.from, 'data-to': link.to });
      const times = link.times > 1 ? ` ×${link.times.toLocaleString('en')}` : '';
      path.append(shape('title', {}, `${link.role}${times}`.trim()));
      links.append(path, arrowhead(link.path));
    }
  }
  return links;
}

/** Links end horizontally at the left side of a box. */
function arrowhead(path: string): SVGPathElement {
  const [x = 0, y = 0] = (path.match(/-?[\d.]+/g) ?? []).slice(-2).map(Number);
  return shape('path', { class: 'rms-arrow', d: `M${x} ${y}l-7 -3.5v7z` });
}

function badge(x: number, y: number, text: string, press: () => void, more = ''): SVGGElement {
  const width = Math.max(15, 7 * text.length + 6);
  const made = shape(
    'g',
    { class: `rms-badge ${more}`.trim(), 'aria-hidden': 'true' },
    shape('rect', { x: x - width / 2, y: y - 7.5, width, height: 15, rx: 7.5 }),
    shape('text', { x, y: y + 3.5 }, text)
  );
  made.addEventListener('click', event => {
    event.stopPropagation();
    press();
  });
  return made;
}

function nameOf(box: Box, state: State): string {
  const status = FINE.has(box.status) ? '' : `, ${box.status.replaceAll('_', ' ')}`;
  const more = box.above + box.below;
  const rest = state.hidden ? `, ${state.hidden} boxes folded` : more ? `, ${more.toLocaleString('en')} more beyond` : '';
  return `${box.kind} ${box.label}, ${box.sub}${status}${rest}`;
}

function short(count: number): string {
  return count < 1000 ? String(count) : `${Math.floor(count / 1000)}k`;
}
