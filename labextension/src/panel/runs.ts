/** What runs now?  The runs of this kernel, as their watchers show them; also after the tab was closed. */

import type { RunState } from '../generated/payload';
import type { Kernel } from '../kernel/kernel';
import { element } from '../style/dom';
import { RunView } from '../watcher/view';

export class GoingRuns {
  readonly node = element('div', { class: 'rms-going' });
  private readonly views = new Map<string, RunView>();

  constructor(private readonly kernel: Kernel) {}

  update(runs: RunState[]): void {
    for (const state of runs) {
      const view = this.views.get(state.run);
      if (view) {
        view.update(state);
      } else {
        const made = new RunView(this.kernel, state);
        this.views.set(state.run, made);
        this.node.append(made.node);
      }
    }
    for (const [run, view] of this.views) {
      if (!runs.some(state => state.run === run)) {
        view.node.remove();
        this.views.delete(run);
      }
    }
  }
}
