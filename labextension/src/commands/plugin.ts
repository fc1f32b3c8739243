import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { standingsOf } from '../cells/notebook';
import type { Place } from '../generated/payload';
import { onGoing, onOpening } from '../kernel/going';
import { Refused } from '../kernel/kernel';
import { kernelAt } from '../kernel/kernels';
import { tellIfRefused } from '../kernel/notice';
import { runBelow } from './below';
import { quoted, underCursor } from './cursor';
import { goTo, openFile, type Destination } from './places';

/** What `rms:go-to-cell` may be told; without a cell it goes to the one that made the name under the cursor. */
const DESTINATION = {
  notebook: { type: 'string', description: 'the path of a notebook, as its kernel knows it' },
  cell: { type: ['string', 'number'], description: 'the id of a cell, or the number that it ran as' },
  count: { type: 'number', description: 'that number, where the id may be gone' }
};

type Action = (panel: NotebookPanel, args: Record<string, unknown>) => Promise<unknown>;

/** What can be done with the notebook in front, from the command palette. */
export const commands: JupyterFrontEndPlugin<void> = {
  id: 'rms-jupyter:commands',
  description: 'Adds commands for lineages, reasons, stale cells, stopping and failures.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, notebooks: INotebookTracker, palette: ICommandPalette | null) => {
    const add = (name: string, label: string, act: Action, properties: ReadonlyJSONObject = {}) => {
      app.commands.addCommand(`rms:${name}`, {
        label: `rms: ${label}`,
        describedBy: { args: { type: 'object', properties } },
        isEnabled: () => notebooks.currentWidget !== null,
        execute: args => tellIfRefused(notebooks.currentWidget ? act(notebooks.currentWidget, args) : Promise.resolve())
      });
      palette?.addItem({ command: `rms:${name}`, category: 'rms' });
    };
    add('lineage', 'Lineage of the Name Under the Cursor', panel => askBelow(panel, 'lineage'));
    add('why', 'Why the Name Under the Cursor Ran', panel => askBelow(panel, 'why'));
    add('run-stale', 'Run Stale Cells Only', runStale);
    add('stop', 'Stop the Run', panel => standingsOf(panel).stop());
    add('failures', 'Show Failures', panel => runBelow(panel, '%rms logs --failed'));
    const goToCell = async (panel: NotebookPanel, args: Record<string, unknown>) => {
      const place = args.cell === undefined ? await madeIn(panel) : (args as unknown as Destination);
      await goTo(app, notebooks, place, standingsOf(panel).path);
    };
    add('go-to-cell', 'Go to the Cell That Made the Name Under the Cursor', goToCell, DESTINATION);
    onOpening(({ path, notebook }) => void tellIfRefused(openFile(app, notebooks, path, notebook)));
    onGoing(({ id, store, again }, from) => {
      const go = async () => {
        const kernel = kernelAt(from);
        if (!kernel) {
          throw new Refused('the notebook has no kernel', 'start one');
        }
        const place = await kernel.ask({ ask: 'made_in', what: id, store });
        await app.commands.execute('rms:go-to-cell', { ...place });
        const panel = notebooks.currentWidget;
        if (again && panel?.content.activeCell) {
          await NotebookActions.runCells(panel.content, [panel.content.activeCell], panel.sessionContext);
        }
      };
      void tellIfRefused(go());
    });
  }
};

async function askBelow(panel: NotebookPanel, question: string): Promise<void> {
  await runBelow(panel, `%rms ${question} ${quoted(named(panel))}`);
}

function madeIn(panel: NotebookPanel): Promise<Place> {
  const kernel = standingsOf(panel).kernel();
  return kernel.ask({ ask: 'made_in', what: named(panel) });
}

function named({ content }: NotebookPanel): string {
  const word = underCursor(content);
  if (!word) {
    throw new Refused('there is no name under the cursor', 'put it on a variable, a pipe, or a path in quotes');
  }
  return word;
}

/** Runs what has changed, from the top; what changes because of that comes next. */
async function runStale(panel: NotebookPanel): Promise<void> {
  const done = new Set<unknown>();
  for (;;) {
    const cell = (await standingsOf(panel).stale()).find(one => !done.has(one));
    if (cell) {
      done.add(cell);
    }
    if (!cell || !(await NotebookActions.runCells(panel.content, [cell], panel.sessionContext))) {
      break;
    }
  }
  if (!done.size) {
    throw new Refused('no cell has changed since it ran', 'all that ran is up to date');
  }
}
