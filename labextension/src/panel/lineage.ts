/** What was something made from, and what from it? */

import type { Kernel } from '../kernel/kernel';
import { copying, element } from '../style/dom';
import type { View } from './tabs';

export class LineageTab implements View {
  readonly node = element('div', { class: 'rms-empty' }, 'Choose a task, file or figure, and its lineage.');

  constructor(readonly kernel: Kernel) {}

  show(id: string, label: string): void {
    const name = element('span', { class: 'rms-mono rms-text' }, label);
    this.node.replaceChildren(name, ' ', copying('copy the command', `%rms lineage ${id}`));
  }

  refresh(): void {}
}
