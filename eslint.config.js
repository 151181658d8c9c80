import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'

/** The layers of DESIGN: routes -> plugins (types only) -> src/<domain> -> schemas. */
const webFramework = ['fastify', '@fastify/*', 'fastify-plugin']

function forbid (files, ignores, patterns, message) {
  return {
    files,
    ignores,
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: patterns.map((group) => ({ group: [group], message })) }]
    }
  }
}

export default tseslint.config(
  { ignores: ['dist/', '.tap/', 'coverage/'] },
  ...neostandard({ ts: true }),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }]
    }
  },
  {
    files: ['examples/**/www/**/*.js'],
    languageOptions: { globals: { document: 'readonly', fetch: 'readonly', location: 'readonly' } }
  },
  {
    // node-tap runs the subtests in order and awaits each.
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-floating-promises': 'off' }
  },
  forbid(['src/**/*.ts'], ['src/app.ts', 'src/main.ts', 'src/serve.ts', 'src/engine/**', 'src/forward/**'],
    [...webFramework, '**/plugins/**', '**/routes/**', 'dockerode', 'undici'],
    'The domain knows no web framework; dockerode stays in src/engine, undici in src/forward.'),
  {
    files: ['**/*.ts'],
    ignores: ['src/store/**', 'test/src/store/**'],
    rules: { 'no-restricted-imports': ['error', { paths: [{ name: 'node:sqlite', message: 'SQLite stays in src/store.' }] }] }
  },
  {
    files: ['routes/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', { selector: "MemberExpression[object.name='app'][property.name='containers']", message: 'Containers are those of who asks: request.containers.' }] }
  },
  {
    files: ['**/*.ts'],
    ignores: ['src/policy/**', 'routes/**', 'test/**'],
    rules: { 'no-restricted-syntax': ['error', { selector: "TSAsExpression TSTypeReference[typeName.name='Judged']", message: 'Only src/policy says that something was judged.' }] }
  },
  forbid(['src/engine/**/*.ts'], [], [...webFramework, '**/plugins/**', '**/routes/**', 'undici'],
    'The domain knows no web framework.'),
  forbid(['src/forward/**/*.ts'], [], [...webFramework, '**/plugins/**', '**/routes/**', 'dockerode'],
    'The domain knows no web framework.'),
  forbid(['schemas/**/*.ts'], [], [...webFramework, '**/plugins/**', '**/routes/**', '**/src/**', 'dockerode', 'undici'],
    'Schemas import TypeBox and each other only.'),
  forbid(['plugins/**/*.ts'], [], ['**/routes/**', 'dockerode', 'undici'],
    'A plugin owns a domain object; it knows no route.'),
  forbid(['routes/**/*.ts'], [], ['dockerode', 'undici', '**/engine/docker*'],
    'A route parses, calls the domain and answers.')
)
