import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

// contract < engine < host < {electron, cli}; contract < renderer.
const mayNotImport = {
  contract: ['engine', 'host', 'cli', 'electron', 'renderer', 'bench'],
  engine: ['host', 'cli', 'electron', 'renderer', 'bench'],
  host: ['cli', 'electron', 'renderer', 'bench'],
  cli: ['electron', 'renderer', 'bench'],
  electron: ['cli', 'renderer', 'bench', 'engine'],
  renderer: ['engine', 'host', 'cli', 'electron', 'bench'],
};

function layer([name, banned]) {
  const patterns = [
    {
      regex: `^(\\.\\./)+(${banned.join('|')})/`,
      message: `${name}/ may not import from ${banned.join(', ')} (docs/decisions/0001-layers.md)`,
    },
  ];
  if (name === 'contract') {
    patterns.push({ regex: '^node:', message: 'contract/ knows no Node and no DOM' });
  }
  const paths =
    name === 'electron' ? [] : [{ name: 'electron', message: 'only electron/ imports electron' }];
  return {
    files: [`${name}/**/*.{ts,svelte}`],
    rules: { 'no-restricted-imports': ['error', { patterns, paths }] },
  };
}

export default ts.config(
  { ignores: ['node_modules', 'dist', '.carryover', 'test-results', 'playwright-report'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.node } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 12],
      eqeqeq: 'error',
      'no-console': ['error', { allow: ['error', 'warn'] }],
    },
  },
  {
    files: ['renderer/**/*.{ts,svelte}'],
    languageOptions: {
      globals: { ...globals.browser },
      parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'] },
    },
    rules: { 'svelte/no-navigation-without-resolve': 'off' },
  },
  {
    files: ['tests/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.mjs'],
    rules: { 'max-lines-per-function': 'off', 'no-console': 'off' },
  },
  ...Object.entries(mayNotImport).map(layer),
);
