/** How was the night?  A row a rule, with its files and calls as they are now; also after the page was loaded again. */

import type { RuleRow } from '../generated/payload';
import type { Kernel } from '../kernel/kernel';
import { button, element, said, unpressed } from '../style/dom';
import { when } from './rows';
import type { View } from './tabs';

const NUMBERS = ['arrived', 'settling', 'waiting', 'running', 'done', 'failed'] as const;
const PARTS = ['done', 'running', 'failed'] as const;
/** How a phase looks: as the status of this name does. */
const LOOKS: Record<string, string> = {
  watching: 'running',
  finishing: 'running',
  done: 'done',
  failed: 'failed',
  stopped: 'cancelled',
  'held back': 'cancelled'
};

export class RulesView implements View {
  readonly node: HTMLElement;
  /** Whether a rule goes on: it is looked at again soon. */
  live = false;
  private readonly found = element('span', { class: 'rms-muted', role: 'status' });
  private readonly body = element('div', { class: 'rms-scroll', tabindex: '0', role: 'region', 'aria-label': 'rules' });
  private readonly redraw: () => void;
  private rules: RuleRow[] = [];
  private drawn = '';

  constructor(private readonly kernel: Kernel) {
    this.node = element('div', {}, element('div', { class: 'rms-head' }, this.found), this.body);
    this.redraw = unpressed(this.body, () => this.draw(this.rules));
  }

  refresh(): void {
    void this.ask({});
  }

  private async ask(what: { do?: string; name?: string }): Promise<void> {
    try {
      const { rules, live } = await this.kernel.ask({ ask: 'rules', ...what });
      this.live = live;
      this.found.className = 'rms-muted';
      this.found.textContent = summary(rules);
      const now = JSON.stringify(rules);
      if (now !== this.drawn) {
        this.drawn = now;
        this.rules = rules;
        this.redraw();
      }
    } catch (refused) {
      this.found.className = 'rms-error';
      this.found.textContent = said(refused);
    }
  }

  private draw(rules: RuleRow[]): void {
    const held = document.activeElement?.getAttribute('aria-label');
    if (!rules.length) {
      this.body.replaceChildren(element('div', { class: 'rms-empty' }, 'No rule was begun: %%rms rule NAME begins one.'));
      return;
    }
    const heads = ['rule', '', ...NUMBERS, 'last arrival', 'rate', ''];
    const head = element(
      'tr',
      {},
      ...heads.map(name => element(name ? 'th' : 'td', { ...(name ? { scope: 'col' } : {}), ...look(name) }, name))
    );
    const rows = rules.flatMap(rule => [this.row(rule), ...below(rule)]);
    const table = element('table', { class: 'rms-tree rms-rules', 'aria-label': 'rules' });
    table.append(element('thead', {}, head), element('tbody', {}, ...rows));
    this.body.replaceChildren(table);
    if (held) {
      this.body.querySelector<HTMLElement>(`button[aria-label="${CSS.escape(held)}"]`)?.focus();
    }
  }

  private row(rule: RuleRow): HTMLElement {
    const phase = element('span', { class: 'rms-status', 'data-status': LOOKS[rule.phase] ?? 'waiting' }, rule.phase);
    const actions: HTMLElement[] = [];
    if (rule.is_here && LOOKS[rule.phase] === 'running') {
      actions.push(button('Stop', () => void this.ask({ do: 'stop', name: rule.name }), { 'aria-label': `stop ${rule.name}` }));
    }
    if (rule.is_here && rule.failed && LOOKS[rule.phase] === 'running') {
      actions.push(button('Retry', () => void this.ask({ do: 'retry', name: rule.name }), { 'aria-label': `retry ${rule.name}` }));
    }
    const numbers: Record<string, number> = { ...counts(rule) };
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, element('span', { class: 'rms-mono' }, rule.name), ' ', phase),
      element('td', { class: 'rms-wide' }, bar(rule)),
      ...NUMBERS.map(name => {
        return element(
          'td',
          look(name, name === 'failed' && numbers[name] ? 'rms-error' : ''),
          (name === 'arrived' && rule.phase !== 'on record') || numbers[name] ? numbers[name]!.toLocaleString('en') : ''
        );
      }),
      element('td', look('last arrival'), when(rule.last)),
      element('td', look('rate'), rule.rate),
      element('td', { class: 'rms-actions' }, ...actions)
    );
  }
}

/** What there is of each; files that wait for those that belong to them wait, too. */
export function counts(rule: RuleRow): Record<(typeof NUMBERS)[number], number> {
  const { arrived, settling, running, done, failed } = rule;
  return { arrived, settling, waiting: rule.waiting + rule.unpaired, running, done, failed };
}

/** All rules in a few words. */
export function summary(rules: RuleRow[]): string {
  const sum = (name: 'done' | 'failed') => rules.reduce((all, rule) => all + rule[name], 0).toLocaleString('en');
  const failed = rules.some(rule => rule.failed) ? ` · ${sum('failed')} failed` : '';
  return rules.length ? `${rules.length} rule${rules.length > 1 ? 's' : ''} · ${sum('done')} done${failed}` : '';
}

/** The share of each part, in hundredths. */
export function shares(rule: RuleRow): [string, number][] {
  const calls = rule.waiting + rule.running + rule.done + rule.failed;
  const whole = Math.max(1, calls, rule.arrived - rule.gone);
  return PARTS.map(part => [part, (100 * rule[part]) / whole]);
}

function bar(rule: RuleRow): HTMLElement {
  const parts = shares(rule).map(([part, width]) => element('span', { 'data-status': part, style: `width:${width}%` }));
  return element('div', { class: 'rms-share', role: 'img', 'aria-label': `${rule.done} done, ${rule.failed} failed` }, ...parts);
}

function below(rule: RuleRow): HTMLElement[] {
  const elsewhere = rule.elsewhere ? [`${rule.elsewhere.toLocaleString('en')} of those that wait are done by another kernel`] : [];
  const gone = rule.gone ? [`${rule.gone.toLocaleString('en')} were deleted before their calls began`] : [];
  const quiet = [rule.why, ...elsewhere, ...gone, ...rule.problems].filter(Boolean);
  const lines = [
    ...quiet.map(line => element('div', { class: 'rms-muted' }, line)),
    ...rule.failures.map(({ files, why }) =>
      element('div', {}, element('span', { class: 'rms-mono' }, files), ' ', element('span', { class: 'rms-error' }, why))
    )
  ];
  return lines.length ? [element('tr', { class: 'rms-below' }, element('td', { colspan: String(NUMBERS.length + 5) }, ...lines))] : [];
}

/** How a column looks; some are left out where there is little room. */
function look(name: string, more = ''): Record<string, string> {
  const looks = [
    (NUMBERS as readonly string[]).includes(name) || name === 'rate' ? 'rms-numeric' : '',
    ['last arrival', 'rate'].includes(name) ? 'rms-spare' : '',
    ['settling', 'waiting', 'running'].includes(name) ? 'rms-spare-in-sidebar' : '',
    more
  ];
  return { class: looks.filter(Boolean).join(' ') };
}
