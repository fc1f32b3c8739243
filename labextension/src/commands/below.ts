/** How does a command answer?  By a cell of its own below the active one, which can be undone, kept and run again. */

import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';

/** Inserts a cell below the active one and runs it. */
export async function runBelow({ content, sessionContext }: NotebookPanel, source: string): Promise<void> {
  const index = content.activeCellIndex + 1;
  content.model?.sharedModel.insertCell(index, { cell_type: 'code', source, metadata: { trusted: true } });
  content.activeCellIndex = index;
  content.deselectAll();
  await NotebookActions.run(content, sessionContext);
  await content.scrollToItem(index, 'smart');
}
