import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { icon } from './icon';
import { Sidebar } from './sidebar';

/** The panel in a sidebar, for the notebook in front. */
export const sidebar: JupyterFrontEndPlugin<void> = {
  id: 'rms-jupyter:sidebar',
  description: 'Shows the store of the notebook in front in the left sidebar.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (app: JupyterFrontEnd, notebooks: INotebookTracker, palette: ICommandPalette | null, restorer: ILayoutRestorer | null) => {
    const side = new Sidebar(notebooks, app.serviceManager);
    app.shell.add(side, 'left', { rank: 450 });
    restorer?.add(side, side.id);
    app.commands.addCommand('rms:panel', {
      label: 'rms: Open Panel',
      icon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => app.shell.activateById(side.id)
    });
    palette?.addItem({ command: 'rms:panel', category: 'rms' });
  }
};
