/** How does a failed call look?  Its message, its log, and the command that runs it again in the debugger. */

import type { FailedCall } from '../generated/payload';
import type { Kernel } from '../kernel/kernel';
import { shortId } from '../kernel/ids';
import { button, copying, element, said } from '../style/dom';

export function failureOf(kernel: Kernel | null, failure: FailedCall): HTMLElement {
  const line = element(
    'div',
    {},
    element('span', { class: 'rms-status', 'data-status': 'failed', role: 'img', 'aria-label': 'failed' }),
    element('span', { class: 'rms-mono rms-text' }, failure.call),
    ' ',
    element('span', { class: 'rms-text' }, failure.error)
  );
  const node = element('div', { class: 'rms-failure' }, line);
  if (failure.task) {
    const log = kernel ? [logOf(kernel, failure.task, node), ' · '] : [];
    const debug = copying('rerun with debugger', `%rms rerun ${shortId(failure.task)} --debug`);
    line.append(' ', element('span', { class: 'rms-together' }, ...log, debug));
  }
  return node;
}

/** A button that opens and closes the log of a task at the end of a node. */
export function logOf(kernel: Kernel, task: string, into: HTMLElement): HTMLButtonElement {
  let log: HTMLElement | null = null;
  const toggle = button('log', () => void open(), { class: 'rms-link', 'aria-expanded': 'false' });
  const open = async () => {
    toggle.setAttribute('aria-expanded', String(!log));
    if (log) {
      log.remove();
      log = null;
      return;
    }
    log = element('pre', { class: 'rms-log', tabindex: '0', 'aria-label': 'log' }, '…');
    into.append(log);
    const node = log;
    try {
      node.textContent = (await kernel.ask({ ask: 'log', task })).text || '(nothing printed)';
    } catch (refused) {
      node.textContent = said(refused);
    }
  };
  return toggle;
}
