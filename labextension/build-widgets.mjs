/** Bundles each `src/<name>/widget.ts` as `rms_jupyter/panel/static/<name>.js`, with its stylesheet beside it. */

import { build } from 'esbuild';
import { existsSync, readdirSync } from 'node:fs';

const names = readdirSync('src').filter(name => existsSync(`src/${name}/widget.ts`) && name !== 'kernel');
await build({
  entryPoints: names.map(name => ({ in: `src/${name}/widget.ts`, out: name })),
  outdir: '../rms_jupyter/panel/static',
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  logLevel: 'warning'
});
