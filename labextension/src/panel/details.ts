/** What is known of a row?  Its own fields, its log, and commands to go on with. */

import { toCell } from '../kernel/going';
import type { Kernel } from '../kernel/kernel';
import { button, copying, element, status } from '../style/dom';
import { logOf } from '../watcher/failures';
import { seconds, when, type Row, type TableName } from './rows';

/** Shows the lineage of what has an id. */
export type Lineage = (id: string) => void;

type Field = [name: string, value: Node | string];

const FAILED = ['failed', 'timed_out', 'cut_off'];

export function detailsOf(kernel: Kernel, table: TableName, row: Row, lineage: Lineage, close: () => void): HTMLElement {
  const node = element('div', {});
  const title = String(table === 'files' ? row.name : (row.call ?? cellOf(row)));
  const task = table === 'tasks' || table === 'failures' ? row.id : String(row.task ?? '');
  const commands = element('div', { class: 'rms-commands' });
  if (task) {
    commands.append(logOf(kernel, task, node));
  }
  if (table !== 'runs') {
    commands.append(button('lineage', () => lineage(row.id), { class: 'rms-link' }));
    commands.append(copying('copy %rms show', `%rms show ${row.id}`));
    commands.append(toCell(row.id) ?? '');
  }
  if (FAILED.includes(String(row.status))) {
    commands.append(copying('copy %rms logs', `%rms logs ${row.id}`), copying('copy %rms rerun --debug', `%rms rerun ${row.id} --debug`));
  }
  const shut = button('×', close, { 'aria-label': 'close details' });
  const head = element('div', { class: 'rms-side-head' }, element('h3', { class: 'rms-mono rms-text' }, title), shut);
  const code = row.code ? element('pre', { class: 'rms-log', tabindex: '0', 'aria-label': 'code' }, String(row.code)) : null;
  node.append(...[head, fields(fieldsOf(row)), code, commands].filter(part => part !== null));
  return node;
}

function fieldsOf(row: Row): Field[] {
  const found: Field[] = [
    ['status', row.status ? status(String(row.status)) : ''],
    ['error', String(row.error ?? '')],
    ['when', when(row.when as number | null)],
    ['seconds', 'seconds' in row ? seconds(row.seconds as number | null) : ''],
    ['ran because', String(row.reason ?? '')],
    ['cell', 'notebook' in row ? cellOf(row) : ''],
    ['made by', 'path' in row ? String(row.call ?? '') : ''],
    ['path', String(row.path ?? '')],
    ['size', String(row.size ?? '')],
    ['digest', String(row.digest ?? '')],
    ['result', String(row.result ?? '')],
    ['id', row.id]
  ];
  return found.filter(([, value]) => value !== '');
}

function cellOf(row: Row): string {
  return [String(row.notebook ?? ''), row.cell ? `[${String(row.cell)}]` : ''].join(' ').trim();
}

function fields(pairs: Field[]): HTMLElement {
  const parts = pairs.flatMap(([name, value]) => [element('dt', {}, name), element('dd', { class: 'rms-text' }, value)]);
  return element('dl', { class: 'rms-fields' }, ...parts);
}
