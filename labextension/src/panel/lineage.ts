/** What was something made from, and what from it? */

import type { Kernel } from '../kernel/kernel';
import { LineageView } from '../lineage/view';
import { element } from '../style/dom';
import type { View } from './tabs';

export class LineageTab implements View {
  readonly node = element('div', { class: 'rms-empty' }, 'Press “Lineage” at a task, file or figure to see what it was made from.');
  private readonly view: LineageView;

  constructor(kernel: Kernel) {
    this.view = new LineageView(() => kernel);
  }

  show(id: string): void {
    this.node.className = '';
    this.node.replaceChildren(this.view.node);
    void this.view.lookFrom(id);
  }

  /** What one has opened stays as it is. */
  refresh(): void {}
}
