/** What stands at the left of a cell's prompt?  A mark by colour and shape, and Stop while the cell's run goes on. */

import { button, element } from '../style/dom';
import { tellIfRefused } from '../kernel/notice';
import { inWords, type Standing } from './standing';
import { explain } from './tip';

export class Mark {
  readonly node = element('div', { class: 'rms rms-cell-mark' });
  private readonly status = element('span', { class: 'rms-status', role: 'img', tabindex: '-1' });
  private readonly stop: HTMLButtonElement;
  private lines: string[] = [];
  private shown = '';

  constructor(stop: () => Promise<void>) {
    const press = async () => {
      this.stop.disabled = true;
      this.stop.disabled = await tellIfRefused(stop());
    };
    // Without the attribute, Enter and Space would be taken for shortcuts of the notebook.
    this.stop = button('Stop', () => void press(), {
      class: 'rms-danger',
      'aria-label': 'Stop the run of this cell',
      'data-lm-suppress-shortcuts': 'true'
    });
    this.stop.hidden = true;
    this.node.append(this.status, this.stop);
    explain(this.status, () => this.lines);
  }

  show(standing: Standing, canStop: boolean): void {
    const shown = JSON.stringify([standing, canStop]);
    if (shown === this.shown) {
      return;
    }
    this.shown = shown;
    this.lines = inWords(standing);
    this.status.dataset.status = standing.state;
    this.status.setAttribute('aria-label', `rms: ${this.lines.join('. ')}`);
    this.stop.hidden = !canStop;
    this.stop.disabled &&= canStop;
  }

  /** Only the active cell's mark is reached with Tab, as only the active cell is. */
  setReachable(reachable: boolean): void {
    this.status.tabIndex = reachable ? 0 : -1;
  }
}
