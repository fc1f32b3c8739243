import { LabIcon } from '@jupyterlab/ui-components';

/** Two results, and what was made from both. */
export const icon = new LabIcon({
  name: 'rms-jupyter:lineage',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <rect x="2" y="3" width="8" height="6" rx="1.5"/><rect x="2" y="15" width="8" height="6" rx="1.5"/><rect x="15" y="9" width="7" height="6" rx="3"/>
    <path d="M10 5.2h1.5a2 2 0 0 1 2 2v3h1.5v3.6h-1.5v3a2 2 0 0 1-2 2H10v-1.6h1.5a.6.6 0 0 0 .6-.6V7.4a.6.6 0 0 0-.6-.6H10z"/>
  </g></svg>`
});
