/** How are flows looked through?  As a tree: their segments, and the versions of each, which are opened, tagged, compared, deleted. */

import type { FlowRow, SegmentRow, VersionRow } from '../generated/payload';
import type { Kernel } from '../kernel/kernel';
import { button, element, focusNamed, keepingFocus, said, status, unpressed } from '../style/dom';
import type { Lineage } from './details';
import { narrowed, since, tagsOf } from './flow-filter';
import { when } from './rows';
import type { View } from './tabs';
import { Deleting, VersionView, told } from './version';

const ORDER = ['done', 'running', 'failed'];
const DATES: [string, number][] = [
  ['any time', 0],
  ['today', 1],
  ['last 7 days', 7],
  ['last 30 days', 30]
];

export class FlowsView implements View {
  readonly node: HTMLElement;
  private readonly words = element('input', {
    type: 'search',
    class: 'rms-filter',
    placeholder: 'Search by words',
    'aria-label': 'filter flows by words'
  });
  private readonly tag = element('select', { 'aria-label': 'filter flows by tag' });
  private readonly date = element('select', { 'aria-label': 'filter flows by date' });
  private readonly found = element('span', { class: 'rms-muted', role: 'status' });
  private readonly tree = element('div', { class: 'rms-scroll rms-flows' });
  private readonly bar = element('div', { class: 'rms-chosen', role: 'group', 'aria-label': 'versions that are chosen', hidden: '' });
  private readonly version: VersionView;
  private readonly deleting: Deleting;
  private readonly chosen = new Set<string>();
  private flows: FlowRow[] = [];
  private readonly redraw: () => void;
  private drawn = '';

  constructor(
    private readonly kernel: Kernel,
    lineage: Lineage
  ) {
    this.deleting = new Deleting(kernel, () => this.deleted());
    this.version = new VersionView(kernel, lineage, this.deleting, title => {
      this.draw();
      focusNamed(this.tree, `open ${title}`);
    });
    this.tree.addEventListener('keydown', event => event.key === 'Escape' && this.version.shut());
    this.date.append(...DATES.map(([label, days]) => element('option', { value: String(days) }, label)));
    for (const field of [this.words, this.tag, this.date]) {
      field.addEventListener('input', () => this.draw());
    }
    this.node = element(
      'div',
      {},
      element('div', { class: 'rms-head' }, this.words, this.tag, this.date, this.found),
      this.bar,
      this.deleting.node,
      element('div', { class: 'rms-look' }, this.tree, this.version.node)
    );
    this.redraw = unpressed(this.node, () => {
      this.offerTags();
      this.draw();
    });
  }

  refresh(): void {
    void this.load();
  }

  private async load(): Promise<void> {
    try {
      const { flows } = await this.kernel.ask({ ask: 'flows' });
      const now = JSON.stringify(flows);
      if (now !== this.drawn) {
        this.drawn = now;
        this.flows = flows;
        this.redraw();
      }
    } catch (refused) {
      this.found.className = 'rms-error';
      this.found.textContent = said(refused);
    }
  }

  private offerTags(): void {
    const before = this.tag.value;
    const options = tagsOf(this.flows).map(tag => element('option', { value: tag }, tag));
    this.tag.replaceChildren(element('option', { value: '' }, 'any tag'), ...options);
    this.tag.value = options.some(option => option.value === before) ? before : '';
  }

  private draw(): void {
    const flows = narrowed(this.flows, { words: this.words.value, tag: this.tag.value, since: since(Number(this.date.value)) });
    const count = (all: FlowRow[]) =>
      all.reduce((sum, flow) => sum + flow.segments.reduce((own, { versions }) => own + versions.length, 0), 0);
    this.found.className = 'rms-muted';
    this.found.textContent = this.flows.length ? `${count(flows)} of ${count(this.flows)} versions` : '';
    keepingFocus(this.tree, () => this.tree.replaceChildren(...(flows.length ? flows.map(flow => this.flow(flow)) : [this.empty()])));
    this.drawBar();
  }

  private empty(): HTMLElement {
    const words = this.flows.length ? 'No version fits.' : 'No flow was run in this store: %%rms flow NAME draws one, NAME.run() runs it.';
    return element('div', { class: 'rms-empty' }, words);
  }

  private flow(flow: FlowRow): HTMLElement {
    const heads = ['segment', '', 'version', 'latest parameters', 'tasks', 'took', 'latest', 'tags'];
    const head = element('tr', {}, ...heads.map(name => element(name ? 'th' : 'td', name ? { scope: 'col', ...look(name) } : {}, name)));
    const table = element(
      'table',
      { class: 'rms-tree', 'aria-label': `flow ${flow.name}` },
      element('thead', {}, head),
      element('tbody', {}, ...flow.segments.flatMap(segment => this.segment(segment)))
    );
    const made = element('details', { open: '' }, element('summary', { class: 'rms-mono' }, flow.name), table);
    return made;
  }

  private segment(segment: SegmentRow): HTMLElement[] {
    const after = segment.parents.length ? `after ${segment.parents.join(', ')}` : 'without parents';
    const name = element('th', { scope: 'row', class: 'rms-mono', title: after, style: `padding-left:${10 + 16 * segment.depth}px` });
    name.append(segment.depth ? element('span', { class: 'rms-muted', 'aria-hidden': 'true' }, '└ ') : '', segment.name);
    if (!segment.versions.length) {
      return [element('tr', {}, name, element('td', { colspan: '7', class: 'rms-muted' }, 'not run'))];
    }
    return segment.versions.map((version, place) =>
      element(
        'tr',
        this.version.shows(version.id) ? { 'aria-selected': 'true' } : {},
        place ? element('td') : name,
        ...this.cells(segment, version)
      )
    );
  }

  private cells(segment: SegmentRow, version: VersionRow): HTMLElement[] {
    const what = `${segment.name} ${version.version}`;
    const check = element('input', { type: 'checkbox', 'aria-label': `choose ${what}` });
    check.checked = this.chosen.has(version.id);
    check.addEventListener('change', () => {
      this.chosen[check.checked ? 'add' : 'delete'](version.id);
      this.drawBar();
    });
    const open = () => {
      void this.version.show(segment, version);
      this.draw();
    };
    const parameters = version.parameters.map(([name, value]) => `${name}=${value}`).join(', ');
    return [
      element('td', {}, check),
      element('td', {}, button(version.version, open, { class: 'rms-link rms-mono', 'aria-label': `open ${what}` })),
      element('td', { class: 'rms-mono rms-wide', title: parameters }, parameters),
      element('td', {}, ...counts(version)),
      element('td', look('took'), version.took),
      element('td', look('latest'), when(version.when)),
      element('td', look('tags'), ...version.tags.map(tag => element('span', { class: 'rms-tag' }, tag)))
    ];
  }

  // What is done with those that are chosen ----------------------------------------------------------------------------

  private drawBar(): void {
    const there = new Set(this.flows.flatMap(flow => flow.segments.flatMap(({ versions }) => versions.map(({ id }) => id))));
    for (const id of this.chosen) {
      if (!there.has(id)) {
        this.chosen.delete(id);
      }
    }
    const ids = [...this.chosen];
    this.bar.hidden = !ids.length;
    if (!ids.length) {
      this.bar.replaceChildren();
      return;
    }
    const note = element('span', { role: 'status' });
    const field = element('input', { type: 'text', placeholder: 'tag', 'aria-label': 'tag', size: '12' });
    const tag = button('Tag', () => void this.ask(note, () => this.kernel.ask({ ask: 'tag', ids, tag: field.value })));
    const compare = button('Compare', () => void this.compare(ids, note));
    compare.disabled = ids.length !== 2;
    const remove = button('Delete…', () => void this.deleting.begin({ ids }));
    const count = `${ids.length} version${ids.length > 1 ? 's' : ''}`;
    this.bar.replaceChildren(element('span', { class: 'rms-muted' }, count), field, tag, compare, remove, note);
  }

  private async ask(note: HTMLElement, question: () => Promise<{ headline: string }>): Promise<void> {
    try {
      note.textContent = (await question()).headline;
      note.className = 'rms-muted';
      this.refresh();
    } catch (refused) {
      note.textContent = said(refused);
      note.className = 'rms-error';
    }
  }

  private async compare(ids: string[], note: HTMLElement): Promise<void> {
    const versions = this.flows.flatMap(flow => flow.segments.flatMap(segment => segment.versions));
    const [older, newer] = versions.filter(({ id }) => ids.includes(id)).sort((a, b) => a.when - b.when);
    try {
      if (older && newer) {
        const difference = await this.kernel.ask({ ask: 'compare', id: newer.id, other: older.id });
        this.version.tell(`Compare ${older.version} with ${newer.version}`, told(difference));
        this.draw();
      }
    } catch (refused) {
      note.textContent = said(refused);
      note.className = 'rms-error';
    }
  }

  private deleted(): void {
    this.chosen.clear();
    this.version.close();
    this.refresh();
  }
}

function counts(version: VersionRow): Node[] {
  const place = (name: string) => (ORDER.indexOf(name) + 1 || ORDER.length + 1) - 1;
  const inOrder = Object.entries(version.counts).sort(([a], [b]) => place(a) - place(b));
  return inOrder.flatMap(([name, count]) => {
    const mark = status(name);
    mark.prepend(`${count.toLocaleString('en')} `);
    return [mark, document.createTextNode(' ')];
  });
}

function look(head: string): Record<string, string> {
  const found = { took: 'rms-numeric rms-spare', latest: 'rms-latest rms-spare-where-narrow', tags: 'rms-spare-where-narrow' }[head];
  return found ? { class: found } : {};
}
