/** What does a mark say when it is pointed at, or reached with the keyboard?  One tip for all marks, above all else. */

import { element } from '../style/dom';

let tip: HTMLElement | null = null;

/** Lets an element show lines of text beside it. */
export function explain(mark: HTMLElement, lines: () => string[]): void {
  const show = () => open(mark, lines());
  mark.addEventListener('pointerenter', show);
  mark.addEventListener('focus', show);
  mark.addEventListener('pointerleave', close);
  mark.addEventListener('blur', close);
  mark.addEventListener('keydown', event => {
    if (event.key === 'Escape') {
      close();
    }
  });
}

function open(mark: HTMLElement, lines: string[]): void {
  tip ??= document.body.appendChild(element('div', { class: 'rms rms-tip', role: 'tooltip', popover: 'manual' }));
  tip.replaceChildren(...lines.map(line => element('div', {}, line)));
  tip.showPopover();
  const { left, bottom } = mark.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(left, innerWidth - tip.offsetWidth - 4))}px`;
  tip.style.top = `${bottom + 4 + tip.offsetHeight > innerHeight ? bottom - 16 - tip.offsetHeight : bottom + 4}px`;
}

function close(): void {
  tip?.hidePopover();
}
