/** What does rms_jupyter add to JupyterLab? */

import { cells } from './cells/plugin';
import { kernels } from './kernel/plugin';
import { languages } from './languages/plugin';

export default [kernels, cells, languages];
