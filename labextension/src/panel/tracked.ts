/** How do tracked scripts and notebooks stand?  A row each, or its pictures; those that are chosen are run, cancelled, opened, tracked no more. */

import type { TrackedRow, TrackedRows } from '../generated/payload';
import { toEditor } from '../kernel/going';
import type { Kernel } from '../kernel/kernel';
import { button, element, focusNamed, said, unpressed } from '../style/dom';
import type { Lineage } from './details';
import { when } from './rows';
import type { View } from './tabs';
import { fitting, standing } from './tracked-filter';

/** So much longer than it has taken it is not asked again: files are looked at each time. */
const RESTING = 10;

export class TrackedView implements View {
  readonly node: HTMLElement;
  /** Whether a script waits or runs: it is looked at again soon. */
  live = false;
  private readonly words = element('input', {
    type: 'search',
    class: 'rms-filter',
    placeholder: 'Search by words',
    'aria-label': 'filter scripts by words'
  });
  private readonly states = element('div', { class: 'rms-actions', role: 'group', 'aria-label': 'states' });
  private readonly found = element('span', { class: 'rms-muted', role: 'status' });
  private readonly bar = element('div', { class: 'rms-chosen', role: 'group', 'aria-label': 'scripts that are chosen', hidden: '' });
  private readonly path = element('input', { type: 'text', placeholder: 'scripts/*.py', 'aria-label': 'path to track', size: '18' });
  private readonly config = element('select', { 'aria-label': 'run configuration' });
  private readonly output = button('Output', () => this.toggleOutput(), { class: 'rms-part', 'aria-pressed': 'false' });
  private readonly body = element('div', { class: 'rms-scroll' });
  private readonly about = element('div', { class: 'rms-about' });
  private readonly side = element('aside', { class: 'rms-lineage', 'aria-label': 'last run', hidden: '' }, this.about);
  private readonly pictures = new Map<string, HTMLElement>();
  private readonly chosen = new Set<string>();
  private rows: TrackedRow[] = [];
  private notebook = '';
  private state = '';
  private opened = '';
  private readonly redraw: () => void;
  private drawn = '';
  private next = 0;

  constructor(
    private readonly kernel: Kernel,
    private readonly lineage: Lineage
  ) {
    this.words.addEventListener('input', () => this.draw());
    for (const part of [this.side, this.body]) {
      part.addEventListener('keydown', event => event.key === 'Escape' && this.close());
    }
    const track = button('Track', () => void this.ask({ do: 'track', path: this.path.value, config: this.config.value }));
    this.path.addEventListener('keydown', event => event.key === 'Enter' && track.click());
    this.node = element(
      'div',
      {},
      element('div', { class: 'rms-head' }, this.words, this.states, this.output, this.path, this.config, track, this.found),
      this.bar,
      element('div', { class: 'rms-look' }, this.body, this.side)
    );
    this.redraw = unpressed(this.node, () => this.draw());
  }

  refresh(): void {
    if (performance.now() >= this.next) {
      void this.ask({});
    }
  }

  private async ask(what: Record<string, unknown>): Promise<void> {
    const began = performance.now();
    this.next = Infinity;
    try {
      this.take(await this.kernel.ask({ ask: 'tracked', ...what }));
    } catch (refused) {
      this.found.className = 'rms-error';
      this.found.textContent = said(refused);
    }
    this.next = performance.now() + RESTING * (performance.now() - began);
  }

  private take({ rows, total, configs, notebook, said, live }: TrackedRows): void {
    this.notebook = notebook;
    this.live = live;
    this.found.className = 'rms-muted';
    this.found.textContent =
      said || (total > rows.length ? `the first ${rows.length.toLocaleString('en')} of ${total.toLocaleString('en')}` : '');
    const now = JSON.stringify([rows, configs]);
    if (now === this.drawn) {
      return;
    }
    this.drawn = now;
    this.rows = rows;
    const config = this.config.value;
    this.config.replaceChildren(...configs.map(name => element('option', { value: name }, name)));
    this.config.value = configs.includes(config) ? config : configs[0]!;
    for (const key of this.chosen) {
      if (!rows.some(row => keyOf(row) === key)) {
        this.chosen.delete(key);
      }
    }
    this.redraw();
  }

  private draw(): void {
    const held = document.activeElement?.getAttribute('aria-label');
    const states = standing(this.rows).map(([state, sign, count]) => {
      const press = () => {
        this.state = this.state === state ? '' : state;
        this.draw();
      };
      const label = element('span', { class: 'rms-standing', 'data-state': state }, `${sign} `);
      const made = button('', press, { class: 'rms-part', 'aria-pressed': String(this.state === state), 'aria-label': `only ${state}` });
      made.append(label, `${count.toLocaleString('en')} ${state}`);
      return made;
    });
    this.states.replaceChildren(...states);
    const rows = fitting(this.rows, this.words.value, this.state);
    this.body.replaceChildren(rows.length ? this.drawing(rows) : this.empty());
    this.drawBar();
    if (held) {
      this.node.querySelector<HTMLElement>(`[aria-label="${CSS.escape(held)}"]`)?.focus();
    }
  }

  private drawing(rows: TrackedRow[]): HTMLElement {
    return this.output.getAttribute('aria-pressed') === 'true' ? this.gallery(rows) : this.table(rows);
  }

  private empty(): HTMLElement {
    const words = this.rows.length ? 'No script fits.' : 'Nothing is tracked: name a script, a notebook, a folder or a pattern above.';
    return element('div', { class: 'rms-empty' }, words);
  }

  private table(rows: TrackedRow[]): HTMLElement {
    const all = element('input', { type: 'checkbox', 'aria-label': 'choose all that are shown' });
    all.checked = rows.every(row => this.chosen.has(keyOf(row)));
    all.addEventListener('change', () => {
      rows.forEach(row => this.chosen[all.checked ? 'add' : 'delete'](keyOf(row)));
      this.draw();
    });
    const heads = ['state', 'script', 'config', 'group', 'last run', 'took', 'why'];
    const head = element('tr', {}, element('td', {}, all), ...heads.map(name => element('th', { scope: 'col', ...spare(name) }, name)));
    const table = element('table', { class: 'rms-tree rms-tracked', 'aria-label': 'tracked scripts' });
    table.append(element('thead', {}, head), element('tbody', {}, ...rows.map(row => this.row(row))));
    return table;
  }

  private row(row: TrackedRow): HTMLElement {
    const name = `${row.script} ${row.config}`;
    const check = element('input', { type: 'checkbox', 'aria-label': `choose ${name}` });
    check.checked = this.chosen.has(keyOf(row));
    check.addEventListener('change', () => {
      this.chosen[check.checked ? 'add' : 'delete'](keyOf(row));
      this.draw();
    });
    const open = button(row.script, () => void this.open(row), { class: 'rms-link rms-mono', 'aria-label': `last run of ${name}` });
    const sign = element('span', { class: 'rms-standing', 'data-state': row.state, 'aria-hidden': 'true' }, `${row.sign} `);
    return element(
      'tr',
      { 'data-state': row.state, ...(this.opened === keyOf(row) ? { 'aria-selected': 'true' } : {}) },
      element('td', {}, check),
      element('td', {}, sign, row.state),
      element('th', { scope: 'row' }, open),
      element('td', { class: 'rms-mono' }, row.config),
      element('td', spare('group'), row.group),
      element('td', { ...spare('last run'), title: row.last }, when(Date.parse(row.last.replace(' ', 'T')))),
      element('td', spare('took'), row.took),
      element('td', { class: `rms-wide${row.state === 'failed' ? ' rms-error' : ''}`, title: row.detail }, row.detail)
    );
  }

  // What the last run has left -----------------------------------------------------------------------------------------

  private async open(row: TrackedRow): Promise<void> {
    this.opened = keyOf(row);
    this.side.hidden = false;
    const text = element('pre', { tabindex: '0', 'aria-label': 'log' }, row.task ? '…' : '(never run)');
    const close = button('×', () => this.close(), { class: 'rms-close', 'aria-label': 'Close last run' });
    const actions = element(
      'div',
      { class: 'rms-actions' },
      button('Run', () => this.do('run', [row]))
    );
    actions.append(
      ...[toEditor({ path: row.path, notebook: this.notebook }), row.task ? button('Lineage', () => this.lineage(row.task)) : null].filter(
        own => own !== null
      )
    );
    this.about.replaceChildren(
      element('div', { class: 'rms-heading' }, element('h3', { class: 'rms-mono' }, `${row.script} [${row.config}]`), close),
      ...(row.detail ? [element('p', { class: row.state === 'failed' ? 'rms-error' : 'rms-muted' }, row.detail)] : []),
      actions,
      ...row.figures.map(id => this.picture(id, row, 'side')),
      text
    );
    this.draw();
    if (row.task) {
      try {
        text.textContent = (await this.kernel.ask({ ask: 'log', task: row.task })).text || '(nothing was printed)';
      } catch (refused) {
        text.textContent = said(refused);
      }
    }
  }

  private close(): void {
    const opened = this.rows.find(row => keyOf(row) === this.opened);
    this.opened = '';
    this.side.hidden = true;
    this.draw();
    if (opened) {
      focusNamed(this.body, `last run of ${opened.script} ${opened.config}`);
    }
  }

  // Output -------------------------------------------------------------------------------------------------------------

  private toggleOutput(): void {
    this.output.setAttribute('aria-pressed', String(this.output.getAttribute('aria-pressed') !== 'true'));
    this.draw();
  }

  private gallery(rows: TrackedRow[]): HTMLElement {
    const shown = rows.filter(row => row.figures.length);
    if (!shown.length) {
      return element('div', { class: 'rms-empty' }, 'The last runs of these scripts have saved no figures.');
    }
    return element(
      'div',
      {},
      ...shown.flatMap(row => {
        const name = `${row.script} [${row.config}]`;
        const cards = row.figures.map(id => element('div', { class: 'rms-figure', role: 'listitem' }, this.picture(id, row, 'gallery')));
        const sign = element('span', { class: 'rms-standing', 'data-state': row.state, title: row.state }, `${row.sign} `);
        return [
          element('h4', { class: 'rms-mono rms-by' }, sign, name),
          element('div', { class: 'rms-figures', role: 'list', 'aria-label': `figures of ${name}` }, ...cards)
        ];
      })
    );
  }

  /** A figure of a run; it is asked for once, when it comes into view. */
  private picture(id: string, row: TrackedRow, where: 'side' | 'gallery'): HTMLElement {
    const key = `${where} ${id} ${row.task}`;
    const known = this.pictures.get(key);
    if (known) {
      return known;
    }
    const picture = element('div', { class: 'rms-picture' });
    this.pictures.set(key, picture);
    const observer = new IntersectionObserver(entries => {
      if (entries.some(entry => entry.isIntersecting)) {
        observer.disconnect();
        this.kernel.ask({ ask: 'figure', id }).then(
          ({ url, why }) => picture.replaceChildren(url.startsWith('data:image/') ? element('img', { src: url, alt: id.slice(6) }) : why),
          (refused: unknown) => (picture.textContent = said(refused))
        );
      }
    });
    observer.observe(picture);
    return picture;
  }

  // What is done with those that are chosen ----------------------------------------------------------------------------

  private drawBar(): void {
    const rows = this.rows.filter(row => this.chosen.has(keyOf(row)));
    this.bar.hidden = !rows.length;
    this.bar.replaceChildren(
      element('span', { class: 'rms-muted' }, `${rows.length} chosen`),
      button('Run', () => this.do('run', rows), { 'aria-label': 'run those that are chosen' }),
      button('Cancel', () => this.do('cancel', rows), { title: 'those that wait' }),
      button('Track no more', () => this.do('untrack', rows))
    );
  }

  private do(what: string, rows: TrackedRow[]): void {
    void this.ask({ do: what, entries: rows.map(({ path, config }) => [path, config]) });
  }
}

function keyOf({ path, config }: TrackedRow): string {
  return `${config}\n${path}`;
}

function spare(name: string): Record<string, string> {
  const look = { group: 'rms-spare', 'last run': 'rms-spare', took: 'rms-numeric rms-spare' }[name];
  return look ? { class: look } : {};
}
