/** What does the sidebar show?  The panel of the store that the kernel of the notebook in front has open. */

import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel as Jupyter } from '@jupyterlab/services';
import { Widget } from '@lumino/widgets';
import { overComm } from '../kernel/comm';
import { panel } from '../panel/panel';
import { element } from '../style/dom';
import { icon } from './icon';

export class Sidebar extends Widget {
  private notebook: NotebookPanel | null = null;
  private kernel: Jupyter.IKernelConnection | null | undefined;

  constructor(notebooks: INotebookTracker) {
    super({ node: element('div', { class: 'rms rms-sidebar' }) });
    this.id = 'rms-jupyter-panel';
    this.title.icon = icon;
    this.title.caption = 'rms: what is in the store';
    notebooks.currentChanged.connect((_, notebook) => this.follow(notebook));
    this.follow(notebooks.currentWidget);
  }

  protected override onAfterAttach(): void {
    this.draw();
  }

  protected override onAfterShow(): void {
    this.draw();
  }

  private follow(notebook: NotebookPanel | null): void {
    this.notebook?.sessionContext.kernelChanged.disconnect(this.draw, this);
    this.notebook = notebook;
    notebook?.sessionContext.kernelChanged.connect(this.draw, this);
    this.draw();
  }

  /** Shows another panel where the kernel is another one; none before one looks. */
  private draw(): void {
    const kernel = this.notebook?.sessionContext.session?.kernel ?? null;
    if (this.isVisible && kernel !== this.kernel) {
      this.kernel = kernel;
      this.node.replaceChildren(kernel ? panel(overComm(kernel)) : element('p', {}, 'Open a notebook to see its store.'));
    }
  }
}
