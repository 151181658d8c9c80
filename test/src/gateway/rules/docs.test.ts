import { readFile } from 'node:fs/promises'
import t from 'tap'
import { MATCHER_NAMES } from '../../../../src/gateway/rules/matchers.ts'
import { MAX_RULE_LENGTH, parseRule } from '../../../../src/gateway/rules/parse.ts'

const page = await readFile(new URL('../../../../docs/rules.md', import.meta.url), 'utf8')

await t.test('every rule of docs/rules.md is read', async (t) => {
  const blocks = [...page.matchAll(/^```\n(.*?)^```$/gms)].flatMap(([, block]) => block!.trim().split('\n'))
  const inline = [...page.replaceAll(/^```\n.*?^```$/gms, '').matchAll(/`` ?(.+?) ?``/g)].map(([, rule]) => rule!)
  t.ok(blocks.length >= 8 && inline.length >= 18, `${blocks.length} and ${inline.length} rules`)
  for (const rule of [...blocks, ...inline]) t.doesNotThrow(() => parseRule(rule), rule)
})

await t.test('docs/rules.md describes every matcher, and the limit and the message that it quotes are true', async (t) => {
  for (const name of MATCHER_NAMES) t.ok(page.includes(`| \`\` ${name}(`), name)
  t.ok(page.includes(`at most ${MAX_RULE_LENGTH} characters`))
  t.throws(() => parseRule('PathPrefx(`/`)'), { message: 'There is no matcher "PathPrefx"; did you mean PathPrefix?' })
  t.ok(page.includes('`There is no matcher "PathPrefx"; did you mean PathPrefix?`'))
})
