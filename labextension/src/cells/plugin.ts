import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { standingsOf } from './notebook';

/** Shows at each `%%rms` cell how it stands. */
export const cells: JupyterFrontEndPlugin<void> = {
  id: 'rms-jupyter:cells',
  description: 'Shows at each %%rms cell whether it is up to date.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (_, notebooks: INotebookTracker) => {
    notebooks.forEach(standingsOf);
    notebooks.widgetAdded.connect((_, panel) => standingsOf(panel));
    notebooks.currentChanged.connect((_, panel) => panel && standingsOf(panel).look());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && notebooks.currentWidget) {
        standingsOf(notebooks.currentWidget).look();
      }
    });
  }
};
