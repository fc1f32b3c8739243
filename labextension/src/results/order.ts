/** In which order do the rows of an answer stand, by one of its columns?  Pure: texts in, places out. */

export type Direction = 'ascending' | 'descending';

/** The places of cells in order: numbers by size, words by the alphabet, what is empty last in both directions. */
export function ordered(cells: readonly string[], direction: Direction): number[] {
  const filled = cells.map((_, place) => place).filter(place => cells[place]!.trim() !== '');
  const empty = cells.map((_, place) => place).filter(place => cells[place]!.trim() === '');
  const numbers = cells.map(cell => Number(cell.replaceAll(',', '')));
  const areNumbers = filled.every(place => !Number.isNaN(numbers[place]));
  const sign = direction === 'ascending' ? 1 : -1;
  const compare = (a: number, b: number): number =>
    areNumbers ? numbers[a]! - numbers[b]! : cells[a]!.localeCompare(cells[b]!, 'en', { numeric: true });
  return [...filled.sort((a, b) => sign * compare(a, b) || a - b), ...empty];
}

/** What a further press asks for: up, down, as it came. */
export function next(direction: string | null): Direction | null {
  return direction === 'ascending' ? 'descending' : direction === 'descending' ? null : 'ascending';
}
