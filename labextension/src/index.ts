/** What does rms_jupyter add to JupyterLab? */

import { cells } from './cells/plugin';
import { commands } from './commands/plugin';
import { kernels } from './kernel/plugin';
import { languages } from './languages/plugin';
import { results } from './results/plugin';
import { sidebar } from './sidebar/plugin';
import { runs } from './watcher/plugin';

export default [kernels, cells, commands, languages, results, runs, sidebar];
