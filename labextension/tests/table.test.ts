import { describe, expect, it } from 'vitest';
import { languageOf } from '../src/languages/table';

describe('the language of a cell', () => {
  it('is found with where its body begins', () => {
    const found = languageOf('%%rms sql late <<\nSELECT 1');
    expect(found).toEqual({ language: 'PostgreSQL', from: 18 });
  });

  it.each([
    '%%rms run\nx = 1',
    '%%rms\nsql = 1',
    '%%rms sql',
    '%%rms sqlite\nSELECT 1',
    '%rms sql SELECT 1\nx',
    ' %%rms sql\nSELECT 1',
    ''
  ])('is that of the notebook: %j', source => {
    expect(languageOf(source)).toBeNull();
  });
});
