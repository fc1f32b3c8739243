/** What is under the cursor?  The text of a string, else a name. */

import type { Notebook } from '@jupyterlab/notebook';

const WORDS = /(["'])((?:(?!\1)[^\\]|\\.)+)\1|[\p{L}_][\p{L}\p{N}_]*/gu;

/** The name or the quoted text at a place in a line; '' if there is none. */
export function wordAt(line: string, column: number): string {
  for (const found of line.matchAll(WORDS)) {
    if (found.index <= column && column <= found.index + found[0].length) {
      return found[2] ?? found[0];
    }
  }
  return '';
}

/** What the cursor of the active cell is on. */
export function underCursor(notebook: Notebook): string {
  const editor = notebook.activeCell?.editor;
  const { line = 0, column = 0 } = editor?.getCursorPosition() ?? {};
  return wordAt(editor?.getLine(line) ?? '', column);
}

/** As a word of a magic's line, which is split as a shell does. */
export function quoted(word: string): string {
  return /^[\p{L}\p{N}_./#:-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
