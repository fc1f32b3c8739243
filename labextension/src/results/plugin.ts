import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { listen } from './sorting';

/** Sorts the answers of SQL cells. */
export const results: JupyterFrontEndPlugin<void> = {
  id: 'rms-jupyter:results',
  description: 'Sorts what %%rms sql has answered, by the column whose head is pressed.',
  autoStart: true,
  activate: listen
};
