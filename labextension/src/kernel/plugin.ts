import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { overComm } from './comm';
import { findKernelsBy } from './kernels';

/** Lets every view in a notebook find that notebook's kernel. */
export const kernels: JupyterFrontEndPlugin<void> = {
  id: 'rms-jupyter:kernels',
  description: 'Lets views in notebooks ask the kernel.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (_, notebooks: INotebookTracker) => {
    findKernelsBy(node => {
      // An output that was opened in a view of its own stands in no notebook.
      const notebook = notebooks.find(panel => panel.node.contains(node)) ?? notebooks.currentWidget;
      const connection = notebook?.sessionContext.session?.kernel;
      return connection ? overComm(connection) : null;
    });
  }
};
