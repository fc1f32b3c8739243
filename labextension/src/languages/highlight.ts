/** How is a body in another language coloured?  Parsed as a whole and decorated; the cell stays Python beneath. */

import type { Language } from '@codemirror/language';
import { Prec, StateEffect, type Extension, type Range } from '@codemirror/state';
import { Decoration, ViewPlugin, type DecorationSet, type EditorView, type ViewUpdate } from '@codemirror/view';
import { jupyterHighlightStyle } from '@jupyterlab/codemirror';
import { highlightTree } from '@lezer/highlight';
import { languageOf } from './table';

export type FindLanguage = (name: string) => Promise<Language | null>;

const arrived = StateEffect.define<null>();
const LONGEST = 100_000;
/** Takes back what Python's colours say of the same text. */
const plain = Decoration.mark({ class: 'rms-plain' });

/** Colours bodies in the languages of the table; `find` loads a language when it is first met. */
export function highlighting(find: FindLanguage): Extension {
  const languages = new Map<string, Language | null>();

  class Highlighter {
    decorations: DecorationSet;

    constructor(view: EditorView) {
      this.decorations = this.decorate(view);
    }

    update({ view, docChanged, transactions }: ViewUpdate): void {
      if (docChanged || transactions.some(one => one.effects.some(effect => effect.is(arrived)))) {
        this.decorations = this.decorate(view);
      }
    }

    private decorate(view: EditorView): DecorationSet {
      const { doc } = view.state;
      const found = doc.length <= LONGEST && doc.line(1).text.startsWith('%%rms') ? languageOf(doc.toString()) : null;
      if (!found) {
        return Decoration.none;
      }
      const language = languages.get(found.language);
      if (language === undefined) {
        void load(found.language, view);
      }
      return language ? colours(language, doc.sliceString(found.from), found.from) : Decoration.none;
    }
  }

  async function load(name: string, view: EditorView): Promise<void> {
    languages.set(name, languages.get(name) ?? (await find(name)));
    view.dispatch({ effects: arrived.of(null) });
  }

  return Prec.highest(ViewPlugin.fromClass(Highlighter, { decorations: plugin => plugin.decorations }));
}

function colours(language: Language, body: string, from: number): DecorationSet {
  const ranges: Range<Decoration>[] = [];
  let end = 0;
  const fill = (start: number) => start > end && ranges.push(plain.range(from + end, from + start));
  highlightTree(language.parser.parse(body), jupyterHighlightStyle, (start, stop, classes) => {
    fill(start);
    ranges.push(Decoration.mark({ class: `rms-plain ${classes}` }).range(from + start, from + stop));
    end = stop;
  });
  fill(body.length);
  return Decoration.set(ranges);
}
