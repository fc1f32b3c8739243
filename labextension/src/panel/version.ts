/** What is known of a version of a segment?  Its code, what it has made, to be looked at and downloaded, and what it has printed. */

import type { ProductRow, SegmentRow, Told, VersionPage, VersionRow } from '../generated/payload';
import { Refused, type Kernel } from '../kernel/kernel';
import { code, facts, glimpse, lines } from '../lineage/details';
import { button, element, keepingFocus, said } from '../style/dom';
import type { Lineage } from './details';

const PARTS = ['Code', 'Products', 'Logs'] as const;
type Part = (typeof PARTS)[number];

export class VersionView {
  private readonly about = element('div', { class: 'rms-about' });
  readonly node = element('aside', { class: 'rms-lineage', 'aria-label': 'version', hidden: '' }, this.about);
  private shown = '';
  private title = '';
  private part: Part = 'Products';

  constructor(
    private readonly kernel: Kernel,
    private readonly lineage: Lineage,
    private readonly deleting: Deleting,
    private readonly closed: (title: string) => void
  ) {
    this.node.addEventListener('keydown', event => event.key === 'Escape' && this.shut());
  }

  /** Closes it for the user, who goes on where it was opened. */
  shut(): void {
    if (!this.node.hidden) {
      this.close();
      this.closed(this.title);
    }
  }

  /** Whether it is this one that is shown. */
  shows(id: string): boolean {
    return !this.node.hidden && this.shown === id;
  }

  close(): void {
    this.shown = '';
    this.node.hidden = true;
  }

  /** Shows something else, under a title. */
  tell(title: string, ...body: HTMLElement[]): void {
    this.shown = '';
    this.title = title;
    this.node.hidden = false;
    this.about.replaceChildren(this.heading(title), ...body);
  }

  async show(segment: SegmentRow, version: VersionRow): Promise<void> {
    const title = `${segment.name} ${version.version}`;
    this.tell(title);
    this.shown = version.id;
    try {
      const page = await this.kernel.ask({ ask: 'version', id: version.id });
      if (this.shown === version.id) {
        this.draw(title, segment, version, page);
      }
    } catch (refused) {
      this.about.append(element('p', { class: 'rms-error' }, said(refused)));
    }
  }

  private draw(title: string, segment: SegmentRow, version: VersionRow, page: VersionPage): void {
    const known: [string, string][] = [['pipe', segment.pipe]];
    known.push(...(page.folder ? [['folder', page.folder] as [string, string]] : []), ...version.parameters);
    const body = element('div', { role: 'group', 'aria-label': title });
    const buttons = PARTS.map(part => button(part, () => show(part), { class: 'rms-part' }));
    const show = (part: Part) => {
      this.part = part;
      buttons.forEach((own, place) => own.setAttribute('aria-pressed', String(PARTS[place] === part)));
      body.replaceChildren(...this.body(part, page));
    };
    const remove = button('Delete…', () => void this.deleting.begin({ ids: [version.id] }));
    const actions = element('div', { class: 'rms-actions' }, ...buttons, remove);
    keepingFocus(this.about, () => this.about.replaceChildren(this.heading(title), facts(known), actions, body));
    show(this.part);
  }

  private body(part: Part, page: VersionPage): HTMLElement[] {
    if (part === 'Code') {
      return [code(page.code)];
    }
    return part === 'Logs' ? [this.logs(page.id)] : this.products(page);
  }

  private logs(id: string): HTMLElement {
    const text = element('pre', { tabindex: '0', 'aria-label': 'log' }, '…');
    this.kernel.ask({ ask: 'version_logs', id }).then(
      answer => (text.textContent = answer.text || '(nothing was printed)'),
      (refused: unknown) => (text.textContent = said(refused))
    );
    return text;
  }

  // Products -----------------------------------------------------------------------------------------------------------

  private products(page: VersionPage): HTMLElement[] {
    if (!page.products.length) {
      return [element('p', { class: 'rms-muted' }, 'Its tasks have written no files; their values are in Tasks and Lineage.')];
    }
    const list = element('ul', { class: 'rms-products', 'aria-label': 'products' }, ...page.products.map(product => this.product(product)));
    const more = button('More', () => void this.more(page, list, more));
    more.hidden = page.products.length >= page.total;
    return [list, more];
  }

  private async more(page: VersionPage, list: HTMLElement, more: HTMLElement): Promise<void> {
    const next = await this.kernel.ask({ ask: 'version', id: page.id, offset: list.childElementCount });
    list.append(...next.products.map(product => this.product(product)));
    more.hidden = list.childElementCount >= page.total;
  }

  private product(product: ProductRow): HTMLElement {
    const preview = element('div', { class: 'rms-preview' });
    const note = element('span', { class: 'rms-error', role: 'status' });
    const actions = [
      button('Download', () => void this.download(product, note), { class: 'rms-link', 'aria-label': `download ${product.name}` }),
      button('Lineage', () => this.lineage(product.id), { class: 'rms-link', 'aria-label': `lineage of ${product.name}` }),
      button('Delete…', () => void this.deleting.begin({ file: product.id }), { class: 'rms-link', 'aria-label': `delete ${product.name}` })
    ];
    const observer = new IntersectionObserver(entries => {
      if (entries.some(entry => entry.isIntersecting)) {
        observer.disconnect();
        void this.preview(product, preview);
      }
    });
    observer.observe(preview);
    return element(
      'li',
      {},
      element(
        'div',
        { class: 'rms-mono rms-text', title: product.path },
        product.name,
        ' ',
        element('span', { class: 'rms-muted' }, product.size)
      ),
      preview,
      element('div', { class: 'rms-actions' }, ...actions, note)
    );
  }

  private async preview(product: ProductRow, place: HTMLElement): Promise<void> {
    try {
      const told = await this.kernel.ask({ ask: 'details', id: product.id });
      place.replaceChildren(told.glimpse ? glimpse(told.glimpse) : element('span', { class: 'rms-muted' }, 'no preview'));
    } catch (refused) {
      place.textContent = said(refused);
    }
  }

  private async download(product: ProductRow, note: HTMLElement): Promise<void> {
    const { name, data, why } = await this.kernel.ask({ ask: 'download', id: product.id });
    note.textContent = why;
    if (!why) {
      const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
      const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
      element('a', { href: url, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    }
  }

  private heading(title: string): HTMLElement {
    const close = button('×', () => this.shut(), { class: 'rms-close', 'aria-label': 'Close version' });
    return element('div', { class: 'rms-heading' }, element('h3', { class: 'rms-mono' }, title), close);
  }
}

/** What a report says. */
export function told({ headline, rows, lines: text }: Told): HTMLElement {
  const list = element('ul', {}, ...rows.map(row => element('li', { class: 'rms-mono' }, row)));
  return element('div', {}, element('p', {}, headline), text.length ? lines(text) : null, rows.length ? list : null);
}

/** What is to be deleted: versions, or a file. */
export interface Doomed {
  ids?: string[];
  file?: string;
}

/** Says first what would be deleted, and deletes it when that is confirmed. */
export class Deleting {
  readonly node = element('div', { class: 'rms-deleting', role: 'alertdialog', 'aria-label': 'Delete', hidden: '' });

  constructor(
    private readonly kernel: Kernel,
    private readonly deleted: () => void
  ) {}

  async begin(what: Doomed, dependants = false): Promise<void> {
    const cancel = button('Cancel', () => this.end());
    try {
      const report = await this.kernel.ask({ ask: 'delete', ...what, dependants });
      const sure = (files: boolean, label: string): HTMLElement =>
        button(label, () => void this.finish({ ...what, dependants, files, sure: true }), { class: 'rms-danger' });
      this.show(told(report), sure(false, 'Delete'), sure(true, 'Delete with files'), cancel);
    } catch (refused) {
      const more = button('With what was made from it…', () => void this.begin(what, true));
      const why = refused instanceof Refused ? refused.message : said(refused); // The buttons say what to do next.
      this.show(element('p', { class: 'rms-error' }, why), ...(dependants ? [] : [more]), cancel);
    }
    cancel.focus();
  }

  /** Deletes, or takes that back; says what came of it. */
  private async finish(how: Doomed & Record<string, unknown>): Promise<void> {
    const close = button('Close', () => this.end());
    try {
      const report = await this.kernel.ask({ ask: 'delete', ...how });
      const undo = button('Undo', () => void this.finish({ undo: true }));
      this.show(told({ ...report, rows: how.undo ? report.rows : [], lines: [] }), ...(how.undo ? [] : [undo]), close);
      this.deleted();
    } catch (refused) {
      this.show(element('p', { class: 'rms-error' }, said(refused)), close);
    }
    close.focus();
  }

  private show(body: HTMLElement, ...buttons: HTMLElement[]): void {
    this.node.replaceChildren(body, element('div', { class: 'rms-actions' }, ...buttons));
    this.node.hidden = false;
  }

  private end(): void {
    this.node.hidden = true;
    this.node.replaceChildren();
  }
}
