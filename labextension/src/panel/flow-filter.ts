/** Which versions of a flow's segments are looked for?  By words, by tag, and by when their latest task began. */

import type { FlowRow, VersionRow } from '../generated/payload';

export interface Wanted {
  words: string;
  /** '' for any. */
  tag: string;
  /** Milliseconds since 1970; 0 for any time. */
  since: number;
}

/** The flows with those of their segments and versions that are wanted; all segments where nothing is asked for. */
export function narrowed(flows: FlowRow[], wanted: Wanted): FlowRow[] {
  const words = wanted.words.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length && !wanted.tag && !wanted.since) {
    return flows;
  }
  return flows
    .map(flow => {
      const segments = flow.segments.map(segment => {
        const fits = (version: VersionRow): boolean =>
          (!wanted.tag || version.tags.includes(wanted.tag)) &&
          version.when >= wanted.since &&
          words.every(word => told([flow.name, segment.name, segment.pipe], version).includes(word));
        return { ...segment, versions: segment.versions.filter(fits) };
      });
      return { ...flow, segments: segments.filter(segment => segment.versions.length) };
    })
    .filter(flow => flow.segments.length);
}

/** All tags that versions have, in order. */
export function tagsOf(flows: FlowRow[]): string[] {
  const found = flows.flatMap(flow => flow.segments.flatMap(segment => segment.versions.flatMap(version => version.tags)));
  return [...new Set(found)].sort();
}

/** When something is looked for that began at most so many days ago; 0 is any time. */
export function since(days: number, now = Date.now()): number {
  return days ? now - days * 24 * 3600 * 1000 : 0;
}

function told(names: string[], version: VersionRow): string {
  const parameters = version.parameters.map(([name, value]) => `${name}=${value}`);
  return [...names, version.version, ...version.tags, ...parameters, ...Object.keys(version.counts)].join(' ').toLowerCase();
}
