/** What does the sidebar show?  The panel of the store that the kernel of the notebook in front has open; without one, the store read-only. */

import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel as Jupyter, ServiceManager, Session } from '@jupyterlab/services';
import { Widget } from '@lumino/widgets';
import { overComm } from '../kernel/comm';
import { Refused } from '../kernel/kernel';
import { panel } from '../panel/panel';
import { button, element, said } from '../style/dom';
import { icon } from './icon';

const LOAD = '%load_ext rms_jupyter\n%rms autoload';
const LOOK = '%load_ext rms_jupyter\nfrom rms_jupyter.panel.looking import look\nlook()';

export class Sidebar extends Widget {
  private notebook: NotebookPanel | null = null;
  private own: Session.ISessionConnection | null = null;
  private kernel: Jupyter.IKernelConnection | null | undefined;

  constructor(
    notebooks: INotebookTracker,
    private readonly services: ServiceManager.IManager
  ) {
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
      this.drawOf(kernel);
    }
  }

  private drawOf(kernel: Jupyter.IKernelConnection | null | undefined): void {
    void this.own?.shutdown();
    this.own = null;
    this.node.replaceChildren(...(kernel ? [panel(overComm(kernel), this.otherwise(kernel))] : this.offer('No kernel runs here.')));
  }

  private offer(why: string): HTMLElement[] {
    return [element('p', { role: 'status' }, why), element('p', {}, this.looking())];
  }

  private otherwise(kernel: Jupyter.IKernelConnection, why = ''): HTMLElement {
    const load = button('Load it in every notebook', () => void this.load(kernel));
    return element('span', {}, why && element('p', { role: 'status' }, why), this.looking(), ' ', load);
  }

  /** Loads the extension in the notebook's kernel, and in those that start from now on. */
  private async load(kernel: Jupyter.IKernelConnection): Promise<void> {
    const { content } = await kernel.requestExecute({ code: LOAD, store_history: false }).done;
    const word = 'evalue' in content ? content.evalue : 'Loaded here, and in each kernel that starts from now on.';
    this.node.replaceChildren(element('p', { role: 'status' }, word), panel(overComm(kernel), this.looking()));
  }

  private looking(): HTMLElement {
    return button('Look at the store', () => void this.look());
  }

  /** Shows the store without the notebook's kernel, by one of the sidebar's own. */
  private async look(): Promise<void> {
    this.node.replaceChildren(element('p', { role: 'status' }, 'Looking…'));
    const { kernel } = this;
    let own: Session.ISessionConnection | null = null;
    try {
      own = await this.started();
      const { content } = await own.kernel!.requestExecute({ code: LOOK, store_history: false }).done;
      if (content.status !== 'ok') {
        throw new Refused('evalue' in content ? content.evalue : 'the kernel went away', '');
      }
      if (kernel === this.kernel) {
        this.own = own;
        const back = button("The notebook's own", () => this.drawOf(this.kernel));
        this.node.replaceChildren(element('p', {}, 'Read-only. ', kernel ? back : null), panel(overComm(own.kernel!)));
        return;
      }
    } catch (refused) {
      if (kernel === this.kernel) {
        this.node.replaceChildren(
          ...(kernel ? [panel(overComm(kernel), this.otherwise(kernel, said(refused)))] : this.offer(said(refused)))
        );
      }
    }
    void own?.shutdown();
  }

  private started(): Promise<Session.ISessionConnection> {
    const path = this.notebook?.context.path ?? '';
    const place = `${path.slice(0, path.lastIndexOf('/') + 1)}look at the store`;
    const name = this.services.kernelspecs.specs?.default ?? 'python3';
    return this.services.sessions.startNew({ path: place, name: 'look at the store', type: 'console', kernel: { name } });
  }
}
