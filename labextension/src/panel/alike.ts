/** In which parameters do figures differ?  Of those that were made by the same pipe. */

import type { FigureRow } from '../generated/payload';

type Drawn = Pick<FigureRow, 'pipe' | 'params'>;

/** Names of the parameters that have several values among figures of one pipe, in order. */
export function differing(rows: Drawn[]): string[] {
  const values = new Map<string, Set<string>>();
  const found = new Set<string>();
  for (const row of rows) {
    for (const [name, value] of row.params) {
      const key = JSON.stringify([row.pipe, name]);
      const known = values.get(key) ?? new Set();
      values.set(key, known.add(value));
      if (known.size > 1) {
        found.add(name);
      }
    }
  }
  return [...found].sort();
}

/** What a figure was drawn with. */
export function valueOf(row: Drawn, name: string): string {
  return row.params.find(([own]) => own === name)?.[1] ?? '';
}

/** Rows by the values of a parameter, numbers in their order; those that have it not come last. */
export function grouped<Row extends Drawn>(rows: Row[], name: string): [string, Row[]][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const value = valueOf(row, name);
    groups.set(value, [...(groups.get(value) ?? []), row]);
  }
  return [...groups].sort(([a], [b]) => Number(a === '') - Number(b === '') || a.localeCompare(b, 'en', { numeric: true }));
}

/** What two figures were drawn with: each parameter, its two values, and whether they differ; those that differ first. */
export function sideBySide(one: Drawn, other: Drawn): [string, string, string, boolean][] {
  const names = [...new Set([...one.params, ...other.params].map(([name]) => name))];
  const rows = names.map((name): [string, string, string, boolean] => {
    const pair = [valueOf(one, name), valueOf(other, name)] as const;
    return [name, ...pair, pair[0] !== pair[1]];
  });
  return [...rows.filter(row => row[3]), ...rows.filter(row => !row[3])];
}
