/** What does rms_jupyter add to JupyterLab? */

import { kernels } from './kernel/plugin';

export default [kernels];
