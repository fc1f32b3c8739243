import { describe, expect, it } from 'vitest';
import type { FlowRow, RuleRow, VersionRow } from '../src/generated/payload';
import { narrowed, since, tagsOf } from '../src/panel/flow-filter';
import { counts, shares, summary } from '../src/panel/rules';

const version = (id: string, more: Partial<VersionRow> = {}): VersionRow => ({
  id,
  version: `v${id}`,
  counts: { done: 1 },
  took: '1.0 s',
  when: 1000,
  tags: [],
  parameters: [],
  ...more
});

const FLOWS: FlowRow[] = [
  {
    name: 'fft',
    when: 0,
    segments: [
      { name: 'mkgauss', parents: [], depth: 0, pipe: 'fft.mkgauss', versions: [version('1', { parameters: [['sigma', '5']] })] },
      {
        name: 'convol',
        parents: ['mkgauss'],
        depth: 1,
        pipe: 'fft.convol',
        versions: [version('2', { when: 5000, tags: ['paper'] }), version('3', { counts: { failed: 2 }, tags: ['draft', 'paper'] })]
      },
      { name: 'late', parents: [], depth: 0, pipe: 'late', versions: [] }
    ]
  }
];

function found(wanted: Partial<{ words: string; tag: string; since: number }>): string[] {
  const flows = narrowed(FLOWS, { words: '', tag: '', since: 0, ...wanted });
  return flows.flatMap(flow => flow.segments.flatMap(segment => [segment.name, ...segment.versions.map(({ id }) => id)]));
}

describe('versions', () => {
  it.each([
    [{}, ['mkgauss', '1', 'convol', '2', '3', 'late']],
    [{ words: 'SIGMA=5' }, ['mkgauss', '1']],
    [{ words: 'convol failed' }, ['convol', '3']],
    [{ words: 'fft', tag: 'paper', since: 2000 }, ['convol', '2']],
    [{ tag: 'other' }, []]
  ])('that fit %j', (wanted, names) => {
    expect(found(wanted)).toEqual(names);
  });

  it('have tags, each told once', () => {
    expect(tagsOf(FLOWS)).toEqual(['draft', 'paper']);
  });

  it('are of the last days', () => {
    expect(since(0)).toBe(0);
    expect(since(1, 100_000_000)).toBe(13_600_000);
  });
});

const rule = (more: Partial<RuleRow>): RuleRow => ({
  name: 'frames',
  phase: 'watching',
  arrived: 0,
  settling: 0,
  unpaired: 0,
  waiting: 0,
  running: 0,
  done: 0,
  failed: 0,
  gone: 0,
  elsewhere: 0,
  last: null,
  rate: '',
  why: '',
  failures: [],
  problems: [],
  is_here: true,
  ...more
});

describe('a rule', () => {
  it('has shares of what has arrived and is not gone', () => {
    const shown = shares(rule({ arrived: 12, gone: 2, done: 5, running: 1, failed: 2, waiting: 2 }));
    expect(shown).toEqual([
      ['done', 50],
      ['running', 10],
      ['failed', 20]
    ]);
  });

  it('lets files that have no partner wait', () => {
    expect(counts(rule({ waiting: 1, unpaired: 2 })).waiting).toBe(3);
  });

  it('is counted with the others', () => {
    expect(summary([])).toBe('');
    expect(summary([rule({ done: 2000 }), rule({ failed: 3 })])).toBe('2 rules · 2,000 done · 3 failed');
  });
});
