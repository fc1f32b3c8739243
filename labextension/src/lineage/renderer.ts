/** How is a lineage drawn in an output of a notebook? */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';
import type { Payload } from '../generated/payload';
import { kernelAt } from '../kernel/kernels';
import { LineageView } from './view';

export const MIME_TYPE = 'application/vnd.rms.lineage.v1+json';

export class LineageRenderer extends Widget implements IRenderMime.IRenderer {
  private readonly view = new LineageView(() => kernelAt(this.node));

  constructor() {
    super();
    this.addClass('rms-output');
    this.node.append(this.view.node);
  }

  override dispose(): void {
    this.view.dispose();
    super.dispose();
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.view.show(model.data[MIME_TYPE] as unknown as Payload);
    return Promise.resolve();
  }
}
