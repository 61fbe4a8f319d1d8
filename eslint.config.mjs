import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Which folders of src/ a folder may not import, so that imports point one way (docs/architecture.md). */
const folders = [
  'adapters',
  'activities',
  'workflows',
  'workers',
  'producer',
  'cli',
  'dashboard',
  'stack',
];
const except = (...allowed) => folders.filter((folder) => !allowed.includes(folder));
const forbid = (names, extra = []) => ({
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        ...names.map((name) => ({
          group: [`**/${name}/**`],
          message: `Imports point one way: this folder does not know ${name}/.`,
        })),
        ...extra,
      ],
    },
  ],
});

const clock = [
  { object: 'Date', property: 'now', message: 'Time is an argument here.' },
  { object: 'Math', property: 'random', message: 'Randomness is an argument here.' },
];
const environment = {
  object: 'process',
  property: 'env',
  message: 'Only config.ts reads the environment.',
};

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'coverage', 'test/replay/histories'] },
  js.configs.recommended,
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/require-await': 'off',
      'no-restricted-properties': ['error', environment],
      'no-console': 'error',
      'max-lines-per-function': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      'max-lines-per-function': ['error', { max: 70, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    files: ['src/cli/**', 'src/producer/**', 'test/support/**', 'bench/**'],
    rules: { 'no-console': 'off' },
  },
  { files: ['src/config.ts', 'test/**', 'bench/**'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['src/lake/**'],
    rules: {
      ...forbid(
        [...folders, 'datasets'],
        [{ regex: '^[^.]', message: 'lake/ is pure: it imports no library and no Node module.' }],
      ),
      'no-restricted-properties': ['error', environment, ...clock],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Time is an argument here.',
        },
      ],
    },
  },
  {
    files: ['src/workflows/**'],
    rules: {
      ...forbid(except('workflows', 'activities'), [
        {
          regex: '^(node:|zod|kafkajs|@aws-sdk|@duckdb|@temporalio/(client|worker|activity))',
          message: 'Workflow code has no I/O and no zod.',
        },
        {
          group: ['**/activities/**'],
          allowTypeImports: true,
          message: 'Import activities as types only.',
        },
      ]),
      'no-restricted-properties': ['error', environment, ...clock],
    },
  },
  { files: ['src/activities/**'], rules: forbid(except('activities')) },
  { files: ['src/adapters/**'], rules: forbid(except('adapters')) },
  { files: ['src/datasets/**'], rules: forbid(folders) },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
);
