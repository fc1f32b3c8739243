/** How does a run look that goes on?  As its widget tells all pages, also one that was opened while the kernel was busy. */

import type { ICodeCellModel } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { Widget } from '@lumino/widgets';
import type { RunState } from '../generated/payload';
import { element } from '../style/dom';
import { asking, RunRenderer } from './renderer';
import { RunView } from './view';

/** A run that was not heard of for so long is asked for: it may have ended while the page was closed. */
const PATIENCE = 1000; // ms

type Data = Record<string, unknown>;

export class GoingRenderer extends Widget implements IRenderMime.IRenderer {
  static readonly MIME_TYPE = 'application/vnd.rms.going.v1+json';
  private readonly kernel = asking(this.node);
  private state!: RunState;
  private line = '';
  private view: RunView | null = null;
  private panel: NotebookPanel | null = null;
  private asked = 0;

  constructor(private readonly notebooks: INotebookTracker) {
    super({ node: element('div', { class: 'rms' }) });
  }

  renderModel({ data }: IRenderMime.IMimeModel): Promise<void> {
    this.state = data[GoingRenderer.MIME_TYPE] as unknown as RunState;
    this.line = data['text/plain'] as string;
    this.draw();
    return Promise.resolve();
  }

  protected override onAfterAttach(): void {
    this.panel ??= this.notebooks.find(panel => panel.node.contains(this.node)) ?? null;
    if (this.panel && !this.asked) {
      const { sessionContext } = this.panel;
      sessionContext.iopubMessage.connect(this.hear, this);
      sessionContext.connectionStatusChanged.connect(this.connected, this);
      this.askSoon();
    }
  }

  override dispose(): void {
    clearTimeout(this.asked);
    super.dispose();
  }

  private connected(_: unknown, status: Kernel.ConnectionStatus): void {
    if (status === 'connected') {
      this.askSoon();
    }
  }

  private hear(_: unknown, { header, content }: KernelMessage.IMessage): void {
    const data = (content as { data?: Data }).data ?? {};
    const state = (data.state as { state?: RunState } | undefined)?.state;
    if (header.msg_type === 'comm_msg' && state?.run === this.state.run) {
      this.take({ [GoingRenderer.MIME_TYPE]: state });
    } else if (header.msg_type === 'update_display_data' && ended(data)?.run === this.state.run) {
      this.take(data);
    }
  }

  private askSoon(): void {
    clearTimeout(this.asked);
    this.asked = window.setTimeout(() => void this.ask(), PATIENCE);
  }

  private async ask(): Promise<void> {
    const { run, store } = this.state;
    try {
      this.take((await this.kernel.ask({ ask: 'run', run, store })).shown);
    } catch {
      this.view = null;
      this.node.replaceChildren(element('div', { class: 'rms-muted' }, this.line));
    }
  }

  private take(shown: Data): void {
    const state = shown[GoingRenderer.MIME_TYPE] as RunState | undefined;
    if (this.isDisposed) {
      return;
    }
    clearTimeout(this.asked);
    if (state) {
      this.state = state;
      requestAnimationFrame(() => this.draw());
    } else {
      this.replace(shown);
    }
  }

  private draw(): void {
    if (this.view) {
      this.view.update(this.state);
    } else {
      this.view = new RunView(this.kernel, this.state);
      this.node.replaceChildren(this.view.node);
    }
  }

  /** Puts what a run has come to in its place in the notebook: the page that is told of it may not be the one that began it. */
  private replace(shown: Data): void {
    for (const cell of this.panel?.model?.cells ?? []) {
      const { outputs } = cell as ICodeCellModel;
      for (let index = 0; index < (outputs?.length ?? 0); index++) {
        const output = outputs.get(index);
        if ((output.data[GoingRenderer.MIME_TYPE] as unknown as RunState | undefined)?.run === this.state.run) {
          outputs.set(index, { output_type: 'display_data', metadata: {}, data: shown as never });
        }
      }
    }
  }
}

function ended(data: Data): RunState | undefined {
  return data[RunRenderer.MIME_TYPE] as RunState | undefined;
}
