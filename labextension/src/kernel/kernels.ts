/** Which kernel stands behind a piece of the page?  The plugin knows the notebooks; a mime renderer does not. */

import type { Kernel } from './kernel';

type Finder = (node: HTMLElement) => Kernel | null;

let finder: Finder = () => null;

export function findKernelsBy(find: Finder): void {
  finder = find;
}

/** The kernel of the notebook that a node is in; null for a notebook without one. */
export function kernelAt(node: HTMLElement): Kernel | null {
  return finder(node);
}
