/** How is an answer to SQL sorted?  By a press on the head of a column, or Enter there; the third time it is as it came. */

import { next, ordered } from './order';

const HEAD = '.rms-answer thead th';

/** As they came, for each body of a table whose rows were moved. */
const firstOrders = new WeakMap<HTMLTableSectionElement, HTMLTableRowElement[]>();

/** Hears presses on the heads of all answers, also of those that come later. */
export function listen(): void {
  document.body.addEventListener('click', event => hear(event));
  document.body.addEventListener('keydown', event => {
    if (event.key === 'Enter') {
      hear(event);
    }
  });
}

function hear(event: Event): void {
  const head = (event.target as Element).closest<HTMLTableCellElement>(HEAD);
  const body = head?.closest('table')?.tBodies[0];
  if (head && body) {
    event.preventDefault();
    event.stopPropagation();
    sort(head, body);
  }
}

function sort(head: HTMLTableCellElement, body: HTMLTableSectionElement): void {
  const rows = firstOrders.get(body) ?? [...body.rows];
  firstOrders.set(body, rows);
  const direction = next(head.getAttribute('aria-sort'));
  head.parentElement!.querySelectorAll('th').forEach(other => other.removeAttribute('aria-sort'));
  if (direction === null) {
    body.replaceChildren(...rows);
    return;
  }
  head.setAttribute('aria-sort', direction);
  const cells = rows.map(row => row.cells[head.cellIndex]?.textContent ?? '');
  body.replaceChildren(...ordered(cells, direction).map(place => rows[place]!));
}
