/** What does JupyterLab draw for `application/vnd.rms.lineage.v1+json`? */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { LineageRenderer, MIME_TYPE } from './lineage/renderer';

const extension: IRenderMime.IExtension = {
  id: 'rms-jupyter:lineage',
  description: 'Draws lineages.',
  rendererFactory: {
    safe: true,
    mimeTypes: [MIME_TYPE],
    createRenderer: () => new LineageRenderer()
  },
  rank: 0,
  dataType: 'json'
};

export default extension;
