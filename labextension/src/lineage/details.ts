/** What is told of the box that was chosen? */

import type { Box, Details, Items } from '../generated/payload';
import { button, element, status } from '../style/dom';

export interface DetailsEvents {
  /** A row was chosen: something that this was made from, or that it gave. */
  goTo(id: string): void;
  close(): void;
}

/** What is known without a kernel. */
export function brief(box: Box, actions: HTMLElement[], note: string, events: DetailsEvents): HTMLElement[] {
  return [
    head(box.title, box.status, box.count, events),
    element('div', { class: 'rms-actions' }, ...actions),
    element('p', { class: 'rms-muted', role: 'status' }, note)
  ];
}

/** What the kernel tells of one of so many alike. */
export function full(count: number, told: Details, actions: HTMLElement[], events: DetailsEvents): HTMLElement[] {
  const many = count > 1 ? element('p', { class: 'rms-muted' }, `One of ${count.toLocaleString('en')} alike:`) : null;
  const sections: (HTMLElement | null)[] = [
    head(told.title, told.status, 1, events),
    element('div', { class: 'rms-actions' }, ...actions),
    many,
    facts([...(told.arguments ?? []), ...told.facts]),
    told.failure ? section('Error', text(told.failure, 'rms-error'), true) : null,
    told.glimpse ? section('Preview', glimpse(told.glimpse), true) : null,
    told.changes?.lines.length ? section(`Changes ${told.changes.since}`, lines(told.changes.lines), true) : null,
    told.code?.length ? section('Code', code(told.code), !told.changes?.lines.length) : null,
    told.log ? section('Log', text(told.log)) : null,
    rows('Made from', told.inputs, events),
    rows('Gave', told.outputs, events)
  ];
  return sections.filter(part => part !== null);
}

/** A query with a button that copies it. */
export function query(sql: string, copy: (text: string) => void): HTMLElement {
  return section(
    'SQL',
    element(
      'div',
      {},
      text(sql),
      button('Copy', () => copy(sql), { 'aria-label': 'Copy SQL' })
    )
  );
}

function head(title: string, state: string, count: number, events: DetailsEvents): HTMLElement {
  const times = count > 1 ? ` ×${count.toLocaleString('en')}` : '';
  return element(
    'div',
    { class: 'rms-heading' },
    element('h3', { class: 'rms-mono' }, title),
    button('×', () => events.close(), { 'aria-label': 'Close details', class: 'rms-close' }),
    element('div', {}, status(state), times)
  );
}

/** Names and what they stand for. */
export function facts(pairs: [string, string][]): HTMLElement {
  const list = element('dl', {});
  for (const [name, value] of pairs) {
    list.append(element('dt', {}, name), element('dd', { class: 'rms-mono' }, value));
  }
  return list;
}

function section(title: string, body: HTMLElement, open = false): HTMLElement {
  const made = element('details', {}, element('summary', {}, title), body);
  made.open = open;
  return made;
}

function text(content: string, more = ''): HTMLElement {
  return element('pre', { class: more, tabindex: '0' }, content);
}

/** Code, in pieces of one kind. */
export function code(pieces: [string, string][]): HTMLElement {
  const block = element('pre', { tabindex: '0' });
  block.append(...pieces.map(([kind, piece]) => (kind ? element('span', { class: `rms-${kind}` }, piece) : piece)));
  return block;
}

/** The lines of a unified diff. */
export function lines(text: string[]): HTMLElement {
  const kinds: Record<string, string> = { '+': 'rms-added', '-': 'rms-removed', '@': 'rms-muted' };
  const block = element('pre', { tabindex: '0' });
  block.append(...text.map(line => element('span', { class: kinds[line[0] ?? ''] ?? '' }, `${line}\n`)));
  return block;
}

/** What a value or file looks like. */
export function glimpse(seen: NonNullable<Details['glimpse']>): HTMLElement {
  if (seen.kind === 'image') {
    return element('img', { alt: 'what it looks like', src: `data:${seen.type};base64,${seen.data}` });
  }
  if (seen.kind === 'text') {
    return text(seen.text);
  }
  const cells = (tag: 'th' | 'td', names: string[]): HTMLElement =>
    element('tr', {}, ...names.map(name => element(tag, tag === 'th' ? { scope: 'col' } : {}, name)));
  const rest = seen.total - seen.rows.length;
  return element(
    'div',
    { class: 'rms-frame', tabindex: '0', role: 'group', 'aria-label': 'First rows' },
    element('table', {}, element('thead', {}, cells('th', seen.columns)), element('tbody', {}, ...seen.rows.map(row => cells('td', row)))),
    rest > 0 ? element('div', { class: 'rms-muted' }, `${rest.toLocaleString('en')} more rows`) : null
  );
}

function rows(title: string, found: Items | undefined, events: DetailsEvents): HTMLElement | null {
  if (!found?.rows.length) {
    return null;
  }
  const items = found.rows.map(row =>
    element(
      'li',
      {},
      row.role ? element('span', { class: 'rms-muted' }, `${row.role} `) : null,
      row.id ? button(row.what, () => events.goTo(row.id), { class: 'rms-link' }) : row.what
    )
  );
  const rest = found.total - found.rows.length;
  const more = rest > 0 ? element('li', { class: 'rms-muted' }, `${rest.toLocaleString('en')} more`) : null;
  return section(`${title} (${found.total.toLocaleString('en')})`, element('ul', {}, ...items, more));
}
