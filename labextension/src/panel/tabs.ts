/** How does one go from view to view?  By tabs, with the mouse or the arrow keys. */

import { element } from '../style/dom';

export interface View {
  readonly node: HTMLElement;
  /** Brings it up to date; called when it comes to the front. */
  refresh(): void;
  /** Of a view that changes without a record, and is brought up to date all the time: whether something goes on in it. */
  readonly live?: boolean;
}

let made = 0;

export class Tabs {
  readonly list = element('div', { class: 'rms-tabs', role: 'tablist', 'aria-label': 'views' });
  readonly panels = element('div', { class: 'rms-views' });
  private readonly tabs = new Map<string, { tab: HTMLButtonElement; panel: HTMLElement; view: View }>();
  private front = '';

  add(name: string, view: View): HTMLButtonElement {
    const id = `rms-tab-${++made}`;
    const tab = element('button', { type: 'button', role: 'tab', id, class: 'rms-tab', 'aria-controls': `${id}-panel` }, name);
    const panel = element('div', { role: 'tabpanel', id: `${id}-panel`, 'aria-labelledby': id }, view.node);
    tab.addEventListener('click', () => this.show(name));
    tab.addEventListener('keydown', event => this.press(event, name));
    this.tabs.set(name, { tab, panel, view });
    this.list.append(tab);
    this.panels.append(panel);
    return tab;
  }

  get view(): View | undefined {
    return this.tabs.get(this.front)?.view;
  }

  show(name: string): void {
    this.front = name;
    for (const [other, { tab, panel }] of this.tabs) {
      tab.setAttribute('aria-selected', String(other === name));
      tab.tabIndex = other === name ? 0 : -1;
      panel.hidden = other !== name;
    }
    this.view?.refresh();
  }

  private press(event: KeyboardEvent, name: string): void {
    const names = [...this.tabs.keys()];
    const at = names.indexOf(name);
    const places: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 };
    const place = places[event.key];
    if (place !== undefined) {
      const next = names[(place + names.length) % names.length]!;
      this.show(next);
      this.tabs.get(next)!.tab.focus();
      event.preventDefault();
    }
  }
}
