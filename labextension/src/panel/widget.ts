/** What does the panel show?  The widget of `rms_jupyter.panel.panel`. */

import type { Render } from '@anywidget/types';
import { Refused, type Kernel } from '../kernel/kernel';
import { overWidget } from '../kernel/widget';
import { button, element } from '../style/dom';
import '../style/index.css';

const render: Render = ({ model, el }) => {
  const kernel = overWidget(model);
  const line = element('span', { role: 'status' });
  el.classList.add('rms');
  el.append(
    element('div', { class: 'rms-box' }, element('div', { class: 'rms-head' }, line, button('Refresh', () => void refresh(kernel, line))))
  );
  void refresh(kernel, line);
};

async function refresh(kernel: Kernel, line: HTMLElement): Promise<void> {
  try {
    const { tasks, failed, files } = await kernel.ask({ ask: 'store' });
    line.textContent = `${tasks} tasks, ${failed} failed, ${files} files`;
  } catch (refused) {
    line.textContent = refused instanceof Refused ? `${refused.message}: ${refused.hint}` : String(refused);
  }
}

export default { render };
