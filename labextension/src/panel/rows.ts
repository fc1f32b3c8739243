/** What do tables show?  Columns of the rows that `rms_jupyter.panel.page` gives. */

import type { Rows, RunRow, TaskRow } from '../generated/payload';
import { element, status } from '../style/dom';
import { callNode, partsOf, type Parts } from './calls';

/** The tables that are shown as such; figures are shown as pictures. */
export type TableName = Exclude<keyof Rows, 'figures'>;

export interface Column<Row> {
  label: string;
  /** What the kernel sorts by; a column without it cannot be sorted. */
  sort?: string;
  /** Pixels that it takes at least, and its share of those left over. */
  width: number;
  /** Pixels in a sidebar. */
  narrow?: number;
  grow?: number;
  numeric?: boolean;
  /** Left out where there is little room; the last ones first. */
  spare?: boolean;
  /** What it shows of a row, on a page beside others. */
  cell: (row: Row, page: Row[]) => Node | string;
}

/** The cell that a run began in. */
export function cellOf(row: RunRow): string {
  return [row.notebook, row.cell ? `[${row.cell}]` : ''].join(' ').trim();
}

const mono = (text: string, title = text) => element('span', { class: 'rms-mono', title }, text);

const WHEN: Column<{ when: number | null }> = { label: 'when', sort: 'when', width: 96, spare: true, cell: row => when(row.when) };
const STATUS: Column<{ status: string }> = { label: 'status', sort: 'status', width: 116, narrow: 12, cell: row => status(row.status) };
const PIPE: Column<{ pipe: string | null }> = { label: 'pipe', sort: 'pipe', width: 80, grow: 1, cell: row => mono(row.pipe ?? '') };
const CALL: Column<TaskRow> = {
  label: 'call',
  sort: 'pipe',
  width: 220,
  narrow: 120,
  grow: 3,
  cell: (row, page) => callNode(partsIn(page).get(row)!)
};
const TOOK: Column<{ took: string }> = { label: 'took', sort: 'seconds', width: 84, numeric: true, spare: true, cell: row => row.took };

export const COLUMNS: { [Table in TableName]: Column<Rows[Table]>[] } = {
  tasks: [{ ...CALL, grow: 4 }, STATUS, TOOK, WHEN, { label: 'result', width: 100, grow: 2, spare: true, cell: result }],
  failures: [
    CALL,
    { label: 'error', width: 120, narrow: 60, grow: 3, cell: row => element('span', { title: row.error }, row.error) },
    { ...STATUS, spare: true },
    WHEN
  ],
  files: [
    { label: 'file', sort: 'path', width: 140, narrow: 120, grow: 3, cell: row => mono(row.name, row.path) },
    { ...PIPE, label: 'made by', spare: true },
    STATUS,
    { label: 'size', sort: 'size', width: 84, numeric: true, cell: row => row.size },
    WHEN
  ],
  runs: [
    WHEN,
    { label: 'notebook', sort: 'notebook', width: 100, grow: 1, cell: cellOf },
    { label: 'tasks', sort: 'tasks', width: 84, numeric: true, cell: row => row.tasks.toLocaleString('en') },
    {
      label: 'failed',
      sort: 'failed',
      width: 72,
      numeric: true,
      cell: row => (row.failed ? element('span', { class: 'rms-error' }, row.failed.toLocaleString('en')) : '')
    },
    TOOK,
    { label: 'code', width: 140, grow: 3, cell: row => mono(row.code) }
  ]
};

const known = new WeakMap<TaskRow[], Map<TaskRow, Parts>>();

function partsIn(page: TaskRow[]): Map<TaskRow, Parts> {
  const parts = known.get(page) ?? partsOf(page);
  known.set(page, parts);
  return parts;
}

function result({ error, result }: TaskRow): Node {
  return error ? element('span', { class: 'rms-muted', title: error }, error) : mono(result);
}

/** A moment, as short as it can be told. */
export function when(at: number | null): string {
  if (!at) {
    return '';
  }
  const moment = new Date(at);
  const now = new Date();
  const time = moment.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (moment.toDateString() === now.toDateString()) {
    return `today ${time}`;
  }
  const day = moment.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return moment.getFullYear() === now.getFullYear() ? `${day} ${time}` : `${day} ${moment.getFullYear()}`;
}
