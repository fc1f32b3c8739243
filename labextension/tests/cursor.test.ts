import { describe, expect, it } from 'vitest';
import { quoted, wordAt } from '../src/commands/cursor';

describe('the word under the cursor', () => {
  it.each([
    ['fit = model(reads)', 0, 'fit'],
    ['fit = model(reads)', 3, 'fit'],
    ['fit = model(reads)', 4, ''],
    ['fit = model(reads)', 14, 'reads'],
    ['größe_2 = 1', 5, 'größe_2'],
    ['load("raw/07 b.csv")', 8, 'raw/07 b.csv'],
    ["load('it\\'s.csv')", 8, "it\\'s.csv"],
    ['load("raw.csv', 10, 'csv'],
    ['x = "" + y', 4, ''],
    ['', 0, '']
  ])('of %j at %i is %j', (line, column, word) => {
    expect(wordAt(line, column)).toBe(word);
  });
});

describe('a word on the line of a magic', () => {
  it.each([
    ['fit', 'fit'],
    ['raw/07-b.csv', 'raw/07-b.csv'],
    ['#3f2a', '#3f2a'],
    ['größe', 'größe'],
    ['two words', "'two words'"],
    ["it's; rm *", `'it'"'"'s; rm *'`],
    ['', "''"]
  ])('%j is %s', (word, written) => {
    expect(quoted(word)).toBe(written);
  });
});
