/** Which scripts are meant, and how many stand how?  Pure: rows in, rows and counts out. */

import type { TrackedRow } from '../generated/payload';

const ORDER = ['never run', 'up to date', 'changed', 'failed', 'running', 'queued'];

/** How many are in each state that occurs, with its sign, in mreorg's order. */
export function standing(rows: TrackedRow[]): [string, string, number][] {
  return ORDER.flatMap(state => {
    const found = rows.filter(row => row.state === state);
    return found[0] ? [[state, found[0].sign, found.length] as [string, string, number]] : [];
  });
}

/** Those that have all words, and are in a state where one is given. */
export function fitting(rows: TrackedRow[], words: string, state: string): TrackedRow[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(row => {
    const text = [row.script, row.config, row.group, row.state, row.detail].join(' ').toLowerCase();
    return (!state || row.state === state) && wanted.every(word => text.includes(word));
  });
}
