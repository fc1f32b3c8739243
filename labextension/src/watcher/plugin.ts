import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { RunRenderer } from './renderer';

/** Shows runs that have ended as they looked at their end, also in notebooks that were opened again. */
export const runs: JupyterFrontEndPlugin<void> = {
  id: 'rms-jupyter:runs',
  description: 'Draws runs that have ended.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (_, rendermime: IRenderMimeRegistry) => {
    rendermime.addFactory({ safe: true, mimeTypes: [RunRenderer.MIME_TYPE], createRenderer: () => new RunRenderer() }, 0);
  }
};
