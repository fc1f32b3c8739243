import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { EditorExtensionRegistry, IEditorExtensionRegistry, IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { highlighting } from './highlight';

/** Colours the bodies of cells that are written in another language than Python. */
export const languages: JupyterFrontEndPlugin<void> = {
  id: 'rms-jupyter:languages',
  description: 'Colours cells whose magic says that they are written in another language, such as %%rms sql.',
  autoStart: true,
  requires: [IEditorExtensionRegistry, IEditorLanguageRegistry],
  activate: (_, extensions: IEditorExtensionRegistry, known: IEditorLanguageRegistry) => {
    const find = async (name: string) => (await known.getLanguage(name))?.support?.language ?? null;
    extensions.addExtension({
      name: 'rms-jupyter:languages',
      factory: () => EditorExtensionRegistry.createImmutableExtension(highlighting(find))
    });
  }
};
