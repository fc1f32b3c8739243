import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';
import { element } from '../style/dom';

export const MIME_TYPE = 'application/vnd.rms.lineage.v1+json';

interface Payload {
  nodes: { id: string; label: string }[];
}

/** Draws a lineage in an output of a notebook. */
export class LineageRenderer extends Widget implements IRenderMime.IRenderer {
  constructor() {
    super({ node: element('div', { class: 'rms rms-box' }) });
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const payload = model.data[MIME_TYPE] as unknown as Payload;
    this.node.replaceChildren(element('ul', {}, ...payload.nodes.map(node => element('li', {}, node.label))));
  }
}
