import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';
import type { RunState } from '../generated/payload';
import { Refused, type Kernel } from '../kernel/kernel';
import { kernelAt } from '../kernel/kernels';
import { element } from '../style/dom';
import { RunView } from './view';

/** Draws a run that has ended in an output of a notebook. */
export class RunRenderer extends Widget implements IRenderMime.IRenderer {
  static readonly MIME_TYPE = 'application/vnd.rms.run.v1+json';

  constructor() {
    super({ node: element('div', { class: 'rms' }) });
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const state = model.data[RunRenderer.MIME_TYPE] as unknown as RunState;
    this.node.replaceChildren(new RunView(asking(this.node), state).node);
    return Promise.resolve();
  }
}

/** The kernel that the notebook around a node has when it is asked. */
export function asking(node: HTMLElement): Kernel {
  return {
    ask: async question => {
      const kernel = kernelAt(node);
      if (!kernel) {
        throw new Refused('this notebook has no kernel', 'choose one, load rms_jupyter and open the store');
      }
      return kernel.ask(question);
    },
    interrupt: async () => kernelAt(node)?.interrupt?.()
  };
}
