/** How is the page built from what data says?  By text nodes only, so that nothing in a name or an error can run. */

import { Refused } from '../kernel/kernel';

type Child = Node | string | null | undefined;

/** An element with attributes and children; strings become text. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

/** A button that does one thing. */
export function button(label: string, press: () => void, attributes: Record<string, string> = {}): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, label);
  made.addEventListener('click', press);
  return made;
}

/** Draws at once, or once the pointer is up that is down in a node: a button that is replaced under it hears no click. */
export function unpressed(node: HTMLElement, draw: () => void): () => void {
  let pressed = false;
  let waits = false;
  const free = () => {
    pressed = false;
    if (waits) {
      waits = false;
      draw();
    }
  };
  node.addEventListener('pointerdown', () => {
    const held = new AbortController();
    const up = () => {
      held.abort();
      setTimeout(free); // After the click.
    };
    pressed = true;
    for (const end of ['pointerup', 'pointercancel']) {
      window.addEventListener(end, up, { capture: true, signal: held.signal });
    }
  });
  return () => {
    if (pressed) {
      waits = true;
    } else {
      draw();
    }
  };
}

/** Focuses what has a name in a node; whether there is one. */
export function focusNamed(node: HTMLElement, name: string): boolean {
  const found = node.querySelector<HTMLElement>(`[aria-label="${CSS.escape(name)}"]`);
  found?.focus({ preventScroll: true });
  return found !== null;
}

/** Draws a part again; what has the focus in it is found again by its name. */
export function keepingFocus(node: HTMLElement, draw: () => void): void {
  const held = node.contains(document.activeElement) ? document.activeElement?.getAttribute('aria-label') : null;
  draw();
  if (held && !node.contains(document.activeElement)) {
    focusNamed(node, held);
  }
}

/** A button that copies a command, and says so; where it may not, it shows the command. */
export function copying(label: string, command: string): HTMLElement {
  const told = element('span', { role: 'status' });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(command);
      told.replaceChildren(' copied: ', element('code', { class: 'rms-mono' }, command));
    } catch {
      told.replaceChildren(' run ', element('code', { class: 'rms-mono' }, command));
    }
  };
  return element(
    'span',
    {},
    button(label, () => void copy(), { class: 'rms-link', title: command }),
    told
  );
}

/** What went wrong, for people. */
export function said(error: unknown): string {
  return error instanceof Refused ? [error.message, error.hint].filter(Boolean).join(': ') : String(error);
}

/** A status with its mark. */
export function status(name: string): HTMLElement {
  return element('span', { class: 'rms-status', 'data-status': name }, name.replaceAll('_', ' '));
}
