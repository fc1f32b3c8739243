/** How is a lineage drawn in an output of a notebook? */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';
import { kernelAt } from '../kernel/kernels';
import { MIME_TYPE, type Payload } from './payload';
import { LineageView } from './view';

export { MIME_TYPE };

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

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.view.show(model.data[MIME_TYPE] as unknown as Payload);
  }
}
