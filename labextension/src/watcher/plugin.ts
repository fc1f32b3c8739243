import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { GoingRenderer } from './going';
import { RunRenderer } from './renderer';

/** Before the widget of a run, which a page that is opened later cannot show. */
const BEFORE_WIDGETS = -20;

/** Shows runs while they go on and as they looked at their end, also in notebooks that were opened again. */
export const runs: JupyterFrontEndPlugin<void> = {
  id: 'rms-jupyter:runs',
  description: 'Draws runs.',
  autoStart: true,
  requires: [IRenderMimeRegistry, INotebookTracker],
  activate: (_, rendermime: IRenderMimeRegistry, notebooks: INotebookTracker) => {
    rendermime.addFactory({ safe: true, mimeTypes: [RunRenderer.MIME_TYPE], createRenderer: () => new RunRenderer() }, 0);
    rendermime.addFactory(
      { safe: true, mimeTypes: [GoingRenderer.MIME_TYPE], createRenderer: () => new GoingRenderer(notebooks) },
      BEFORE_WIDGETS
    );
  }
};
