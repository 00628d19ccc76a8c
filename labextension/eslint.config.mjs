import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['lib/', 'node_modules/', 'src/generated/'] },
  {
    files: ['src/**/*.ts', 'tests/**/*.ts'],
    extends: [tseslint.configs.strict],
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      // Columns of the document were checked to be of equal length: an index into one is an index into all.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-restricted-types': 'off',
      // Text of a document is never markup.
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'Use textContent.' },
        { property: 'outerHTML', message: 'Use textContent.' },
        { property: 'insertAdjacentHTML', message: 'Use textContent.' },
      ],
    },
  },
);
