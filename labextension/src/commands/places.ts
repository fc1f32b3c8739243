/** Where is the cell that made something?  The record names it as the kernel did: by the notebook's path on its disk. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Cell, ICodeCellModel } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Place } from '../generated/payload';
import { Refused } from '../kernel/kernel';

/** Where to go: a cell, of the notebook in front if none is named; `count` is its number where the id may be gone. */
export type Destination = Pick<Place, 'cell'> & Partial<Place>;

/** Opens a notebook, if it is not open, and brings a cell of it into view. */
export async function goTo(app: JupyterFrontEnd, notebooks: INotebookTracker, place: Destination, known: string): Promise<void> {
  const { notebook, cell, count } = place;
  const panel = notebook ? await open(app, notebooks, notebook, known) : notebooks.currentWidget;
  if (!panel) {
    throw new Refused('the record names no notebook', 'it was made by a script, or in a kernel without a notebook');
  }
  app.shell.activateById(panel.id);
  const { widgets } = panel.content;
  const index = [cell, count].map(name => widgets.findIndex(own => isAt(own, name))).find(at => at >= 0) ?? -1;
  if (index < 0) {
    throw new Refused(
      `the cell ${typeof cell === 'number' ? `[${cell}]` : cell} is not in ${panel.context.path}`,
      'it was deleted, or ran again since'
    );
  }
  panel.content.activeCellIndex = index;
  panel.content.deselectAll();
  await panel.content.scrollToItem(index, 'center');
  panel.content.activate();
}

/** Opens a file, named as the kernel does, in the editor or as a notebook. */
export async function openFile(app: JupyterFrontEnd, notebooks: INotebookTracker, file: string, known: string): Promise<unknown> {
  const path = served(notebooks, file, known);
  const opened: unknown = path === null ? undefined : await app.commands.execute('docmanager:open', { path });
  if (!opened) {
    throw new Refused(`${file} cannot be opened here`, 'it lies outside of the folder that JupyterLab serves');
  }
  return opened;
}

async function open(app: JupyterFrontEnd, notebooks: INotebookTracker, notebook: string, known: string): Promise<NotebookPanel> {
  const panel = (await openFile(app, notebooks, notebook, known)) as NotebookPanel;
  await panel.context.ready;
  await panel.revealed;
  return panel;
}

/** A file's path as JupyterLab knows it, which serves a folder whose own path it does not tell.
 *
 * `known` is the current notebook's path as the kernel knows it: what it has before the served path is that folder.
 */
function served(notebooks: INotebookTracker, notebook: string, known: string): string | null {
  const [path, own] = [notebook, known].map(one => one.replaceAll('\\', '/')) as [string, string];
  const current = notebooks.currentWidget?.context.localPath ?? '';
  const root = own.endsWith(`/${current}`) ? own.slice(0, -current.length) : null;
  if (root !== null && path.startsWith(root)) {
    return path.slice(root.length);
  }
  return notebooks.find(({ context }) => path.endsWith(`/${context.localPath}`))?.context.path ?? null;
}

function isAt({ model }: Cell, cell: string | number | undefined): boolean {
  return typeof cell === 'number' ? (model as ICodeCellModel).executionCount === cell : model.id === cell;
}
