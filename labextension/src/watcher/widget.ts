/** What does a run's widget show?  The widget of `rms_jupyter.panel.watcher`. */

import type { Render } from '@anywidget/types';
import type { RunState } from '../generated/payload';
import { overWidget } from '../kernel/widget';
import { RunView } from './view';
import '../style/index.css';

const render: Render<{ state: RunState }> = ({ model, el }) => {
  const view = new RunView(overWidget(model), model.get('state'));
  let asked = 0;
  const draw = () => {
    asked = 0;
    view.update(model.get('state'));
  };
  const changed = () => {
    asked = asked || requestAnimationFrame(draw);
  };
  model.on('change:state', changed);
  el.classList.add('rms');
  el.append(view.node);
  return () => {
    cancelAnimationFrame(asked);
    model.off('change:state', changed);
  };
};

export default { render };
