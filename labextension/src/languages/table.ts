/** Which language is the body of a cell with which magic written in?  A name that JupyterLab's editors know. */

export const LANGUAGES: Record<string, string> = {
  sql: 'PostgreSQL' // DuckDB's is its next of kin.
};

const FIRST_LINE = /^%%rms[ \t]+(\w+)[^\n]*\n/;

/** The language of a cell's body and where that begins; null for a cell in the notebook's own language. */
export function languageOf(source: string): { language: string; from: number } | null {
  const found = FIRST_LINE.exec(source);
  const language = found && LANGUAGES[found[1]!];
  return language ? { language, from: found[0].length } : null;
}
