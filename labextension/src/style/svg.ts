/** How are SVG elements made?  With text as text. */

const NAMESPACE = 'http://www.w3.org/2000/svg';

export function shape<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string | number> = {},
  ...children: (Node | string)[]
): SVGElementTagNameMap[Tag] {
  const made = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/** The mark of a status as a path 9 wide and high: as `.rms-status` draws it in CSS. */
export function mark(status: string): string {
  return MARKS[status] ?? TRIANGLE;
}

const SQUARE = 'M0 0h9v9h-9z';
const TRIANGLE = 'M4.5 0l4.5 9h-9z';
const TURNED = 'M0 0h9l-4.5 9z';
const CROSS = 'M2 0l2.5 3 2.5-3 2 2-2.5 2.5 2.5 2.5-2 2-2.5-3-2.5 3-2-2 2.5-2.5-2.5-2.5z';
const MARKS: Record<string, string> = {
  failed: SQUARE,
  timed_out: SQUARE,
  upstream_failed: SQUARE,
  missing: TURNED,
  altered: TURNED,
  unreadable: TURNED,
  deprecated: TURNED,
  cancelled: CROSS,
  cut_off: CROSS,
  deleted: CROSS
};
