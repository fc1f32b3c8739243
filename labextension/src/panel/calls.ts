/** How are calls told apart where there is no room for all of them?  What they have in common is cut, not what differs. */

import { element } from '../style/dom';

/** A call in three parts: what it begins with as others do, what is its own, what it ends with as others do. */
export type Parts = [string, string, string];

/** Splits texts, each against the others; numbers, words and paths stay whole. */
export function apart(texts: string[]): Parts[] {
  const different = [...new Set(texts)];
  if (different.length < 2) {
    return texts.map(text => ['', text, '']);
  }
  const [first] = different as [string, ...string[]];
  const shortest = Math.min(...different.map(text => text.length));
  const shared = (at: (text: string, place: number) => string | undefined, most: number) => {
    let count = 0;
    while (count < most && different.every(text => at(text, count) === at(first, count))) {
      count++;
    }
    return count;
  };
  let begin = shared((text, place) => text[place], shortest);
  while (begin > 0 && isOfWord(first[begin - 1]!)) {
    begin--;
  }
  let end = shared((text, place) => text[text.length - 1 - place], shortest - begin);
  while (end > 0 && isOfWord(first[first.length - end]!)) {
    end--;
  }
  return texts.map(text => [text.slice(0, begin), text.slice(begin, text.length - end), text.slice(text.length - end)]);
}

function isOfWord(letter: string): boolean {
  return /[\p{L}\p{N}_.]/u.test(letter);
}

/** Splits the calls of rows, each against those of its pipe. */
export function partsOf<Row extends { pipe: string; call: string }>(rows: Row[]): Map<Row, Parts> {
  const parts = new Map<Row, Parts>();
  for (const pipe of new Set(rows.map(row => row.pipe))) {
    const own = rows.filter(row => row.pipe === pipe);
    apart(own.map(row => row.call)).forEach((part, index) => parts.set(own[index]!, part));
  }
  return parts;
}

/** A call, of which a narrow column shows what is its own. */
export function callNode([begin, own, end]: Parts): HTMLElement {
  const title = begin + own + end;
  const part = (text: string, attributes = {}) => (text ? element('span', attributes, text) : null);
  return element('span', { class: 'rms-mono rms-call', title }, part(begin), part(own, { class: 'rms-own' }), part(end));
}
