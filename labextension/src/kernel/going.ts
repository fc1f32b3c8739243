/** How does a view lead to the cell that made something, or to a file?  By events, which JupyterLab's plugin hears, also from widgets. */

import { button } from '../style/dom';

const EVENT = 'rms-go-to-cell';
const OPEN = 'rms-open-file';

/** What was made, by its id, in which store; `again`: the cell is to run, too. */
export interface Made {
  id: string;
  store: string;
  again: boolean;
}

/** A button that leads to the cell that made something; null where nobody would hear it. */
export function toCell(id: string, store = ''): HTMLButtonElement | null {
  return going('Go to cell', () => ({ id, store, again: false }));
}

/** A button that runs the cell again that made something: what has finished is answered from the store. */
export function runAgain(made: () => Omit<Made, 'again'>): HTMLButtonElement | null {
  return going('Run the failed again', () => ({ ...made(), again: true }));
}

function going(label: string, told: () => Made): HTMLButtonElement | null {
  const press = (): void => {
    made.dispatchEvent(new CustomEvent<Made>(EVENT, { bubbles: true, detail: told() }));
  };
  const made = button(label, press);
  return document.body.dataset.rmsGoes ? made : null;
}

/** A file, and the notebook whose kernel knows it, as that names both. */
export interface KnownFile {
  path: string;
  notebook: string;
}

/** A button that opens a file in the editor; null where nobody would hear it. */
export function toEditor(file: KnownFile): HTMLButtonElement | null {
  const press = (): void => {
    made.dispatchEvent(new CustomEvent<KnownFile>(OPEN, { bubbles: true, detail: file }));
  };
  const made = button('Open in editor', press);
  return document.body.dataset.rmsGoes ? made : null;
}

/** Hears the buttons of all views that open files. */
export function onOpening(open: (file: KnownFile) => void): void {
  document.body.addEventListener(OPEN, event => open((event as CustomEvent<KnownFile>).detail));
}

/** Hears the buttons of all views. */
export function onGoing(go: (made: Made, from: HTMLElement) => void): void {
  document.body.dataset.rmsGoes = 'true';
  document.body.addEventListener(EVENT, event => go((event as CustomEvent<Made>).detail, event.target as HTMLElement));
}
