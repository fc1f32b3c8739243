/** What does the panel show?  Runs, lineages, tasks, files, figures, failures, flows, rules and tracked scripts of a store, kept up to date while it is seen. */

import { pageOf, type Kernel } from '../kernel/kernel';
import { element, said } from '../style/dom';
import { FiguresView } from './figures';
import { FlowsView } from './flows';
import { LineageTab } from './lineage';
import { RulesView } from './rules';
import { GoingRuns } from './runs';
import { TableView } from './table';
import { Tabs } from './tabs';
import { TrackedView } from './tracked';

const EVERY = 2000;
const EVERY_WHILE_RUNNING = 500;

/** The panel of the store that a kernel has open; what to do else stands beside the word that nothing answers. */
export function panel(kernel: Kernel, otherwise: HTMLElement | null = null): HTMLElement {
  const tabs = new Tabs();
  const lineage = new LineageTab(kernel);
  const trace = (id: string) => {
    lineage.show(id);
    tabs.show('Lineage');
  };
  const going = new GoingRuns(kernel);
  const runs = new TableView(kernel, 'runs', trace);
  tabs.add('Runs', { node: element('div', {}, going.node, runs.node), refresh: () => runs.refresh() });
  tabs.add('Lineage', lineage);
  tabs.add('Tasks', new TableView(kernel, 'tasks', trace));
  tabs.add('Files', new TableView(kernel, 'files', trace));
  tabs.add('Figures', new FiguresView(kernel, trace));
  const failures = element('b', { class: 'rms-error' });
  tabs.add('Failures', new TableView(kernel, 'failures', trace)).append(' ', failures);
  tabs.add('Flows', new FlowsView(kernel, trace));
  tabs.add('Rules', new RulesView(kernel));
  tabs.add('Tracked', new TrackedView(kernel, trace));
  const word = element('span', { class: 'rms-error', role: 'status' });
  const note = element('div', { class: 'rms-more', hidden: '' }, word, ' ', otherwise);
  const node = element(
    'section',
    { class: 'rms-box rms-panel', 'data-lm-suppress-shortcuts': 'true', 'aria-label': 'store' },
    tabs.list,
    note,
    tabs.panels
  );
  tabs.show('Tasks');

  let tick: number | undefined;
  let read = -EVERY;
  const look = async () => {
    let pause = EVERY;
    try {
      const { runs, tick: now } = await kernel.ask({ ask: 'going' });
      going.update(runs);
      pause = runs.length || tabs.view?.live ? EVERY_WHILE_RUNNING : EVERY;
      if (now !== tick && performance.now() - read >= EVERY) {
        read = performance.now();
        if (tick !== undefined || !note.hidden) {
          tabs.view?.refresh();
        }
        tick = now;
        const { count } = await pageOf(kernel, 'failures', { limit: 1 });
        failures.textContent = count ? count.toLocaleString('en') : '';
      } else if (tabs.view?.live !== undefined) {
        tabs.view.refresh();
      }
      note.hidden = true;
      node.classList.remove('rms-unread');
    } catch (refused) {
      const why = said(refused);
      if (why !== word.textContent) {
        tabs.view?.refresh(); // It may show another reason, which was so before.
      }
      word.textContent = why;
      word.className = tick === undefined ? 'rms-muted' : 'rms-error';
      node.classList.toggle('rms-unread', tick === undefined);
      note.hidden = false;
    }
    return pause;
  };
  whileSeen(node, look);
  return node;
}

/** Does something now and then while a node is in view; it tells how long to wait before it is done again. */
function whileSeen(node: HTMLElement, look: () => Promise<number>): void {
  let seen = false;
  let looking = false;
  const go = async () => {
    if (!looking) {
      looking = true;
      while (seen) {
        const pause = await look();
        await new Promise(resolve => setTimeout(resolve, pause));
      }
      looking = false;
    }
  };
  new IntersectionObserver(entries => {
    seen = entries.at(-1)!.isIntersecting;
    void go();
  }).observe(node);
}
