/** How does a view lead to the cell that made something?  By an event, which JupyterLab's plugin hears, also from widgets. */

import { button } from '../style/dom';

const EVENT = 'rms-go-to-cell';

/** What was made, by its id, in which store. */
export interface Made {
  id: string;
  store: string;
}

/** A button that leads to the cell that made something; null where nobody would hear it. */
export function toCell(id: string, store = ''): HTMLButtonElement | null {
  const press = (): void => {
    made.dispatchEvent(new CustomEvent<Made>(EVENT, { bubbles: true, detail: { id, store } }));
  };
  const made = button('Go to cell', press);
  return document.body.dataset.rmsGoes ? made : null;
}

/** Hears the buttons of all views. */
export function onGoing(go: (made: Made, from: HTMLElement) => void): void {
  document.body.dataset.rmsGoes = 'true';
  document.body.addEventListener(EVENT, event => go((event as CustomEvent<Made>).detail, event.target as HTMLElement));
}
