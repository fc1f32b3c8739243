import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig({ ignores: ['lib', 'src/generated'] }, js.configs.recommended, {
  files: ['**/*.ts'],
  plugins: { jupyter },
  extends: [tseslint.configs.recommendedTypeChecked, jupyter.configs.recommended],
  languageOptions: { parserOptions: { projectService: true } },
  rules: {
    curly: ['error', 'all'],
    eqeqeq: 'error',
    'prefer-arrow-callback': 'error',
    // Signals bind a method to the receiver that is connected with it: `jupyter/require-signal-this-arg` sees to that.
    '@typescript-eslint/unbound-method': 'off',
    // The kernel's words are English, and widgets have no translator.
    'jupyter/no-untranslated-string': 'off',
    // All of the extension is one small bundle.
    'jupyter/prefer-lazy-imports': ['warn', { ignoreImports: ['./*', '../*'] }]
  }
});
