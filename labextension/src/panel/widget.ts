/** The panel as the widget of `rms_jupyter.panel.panel`. */

import type { Render } from '@anywidget/types';
import { about } from '../kernel/kernel';
import { overWidget } from '../kernel/widget';
import '../style/index.css';
import { panel } from './panel';

const render: Render<{ store: string }> = ({ model, el }) => {
  el.classList.add('rms');
  el.append(panel(about(model.get('store'), overWidget(model))));
};

export default { render };
