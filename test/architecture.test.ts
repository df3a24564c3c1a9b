/**
 * Holds the tree to the rules of architecture-rules.ts, and proves on planted files that each rule
 * can fail: a rule that reads nothing would be green for ever.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as rules from './support/architecture-rules.ts'
import { importsOf, projectSources, ROOT, sourceFile } from './support/source-facts.ts'

const sources = await projectSources()
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>
}
const declared = rules.declaredPackages(Object.keys(manifest.dependencies))

function holds(rule: rules.Rule): void {
  const complaints = rule(sources)
  assert.ok(complaints.length === 0, `\n${complaints.join('\n')}`)
}

/** The rule complains about exactly these lines of these planted files, which the second set then mends. */
function fails(rule: rules.Rule, bad: Record<string, string>, ...expected: RegExp[]): void {
  const complaints = rule(Object.entries(bad).map(([path, text]) => sourceFile(path, text)))
  assert.equal(complaints.length, expected.length, complaints.join('\n'))
  for (const pattern of expected)
    assert.ok(
      complaints.some(complaint => pattern.test(complaint)),
      `${pattern}: ${complaints.join('\n')}`,
    )
}

test('every import of the tree goes down the ladder', () => {
  assert.ok(sources.length > 20, 'the tree was not read')
  holds(rules.ladder)
})
test('no import cycle exists, type imports included', () => holds(rules.cycles))
test('every relative import ends in a file', () => holds(rules.targetsExist))
test('every npm package has one importing folder', () => holds(rules.oneImporter))
test('the product imports runtime dependencies only', () => holds(declared))
test('only bin reads argv and env and ends the process', () => holds(rules.onlyBinTouchesProcess))
test('no product file imports tests or fixtures', () => holds(rules.testStaysOutside))
test('no file is longer than its limit', () => holds(rules.sizes))
test('no file has a name that says nothing', () => holds(rules.names))
test('every file says in its header what it does', () => holds(rules.headers))
test('every export has a docstring', () => holds(rules.docstrings))
test('every test title is a claim of its own', () => holds(rules.titles))
test('every failpoint has a name of its own', () => holds(rules.failpoints))

test('imports are found in every form and in nothing else', () => {
  const source = `#!/usr/bin/env node
/* import 'no1' */ // import 'no2'
import a, { b as c, type D } from './a.ts'
import type {
  E, // from './no.ts'
  F,
} from '../e/f.ts'
import * as g from "node:fs"
import './side.ts'
export { h } from './h.ts'
export * from '@scope/pkg/deep'
export type { I } from 'pg'
export const from = 'text', x = { import: 1, from: './no3.ts' }
const later = await import('./later.ts')
type T = import('./t.ts').T
const text = \`import './no4.ts' \${await import('./inside.ts')} import './no5.ts'\`
const regex = /import '.\\/no6.ts'/, half = x! / 2, quarter = half / 2
import.meta.url
const { computed } = await import(text)
`
  const facts = importsOf(sourceFile('lib/x/y.ts', source))
  assert.deepEqual(
    facts.map(fact => fact.target ?? fact.package ?? fact.specifier),
    [
      'lib/x/a.ts',
      'lib/e/f.ts',
      'node:fs',
      'lib/x/side.ts',
      'lib/x/h.ts',
      '@scope/pkg',
      'pg',
      'lib/x/later.ts',
      'lib/x/t.ts',
      'lib/x/inside.ts',
      '(computed)',
    ],
  )
  assert.deepEqual(facts[0]!.names, ['b', 'D'])
  assert.equal(facts[1]!.line, 4)
})

test('text that is no source is refused rather than skipped', () => {
  assert.throws(() => sourceFile('lib/x.ts', "const a = 'never closed\n"), /line 1/)
  assert.throws(() => sourceFile('lib/x.ts', 'const a = `never closed'), /line 1/)
})

test('planted: an upward, sideways, unknown or computed import breaks the ladder', () => {
  fails(
    rules.ladder,
    {
      'lib/model/a.ts': "import type { Job } from '../run/b.ts'",
      'lib/fetch/a.ts': "import { x } from '../parse/b.ts'",
      'mappings/p/a.ts': "import { x } from '../../lib/db/b.ts'",
      'reconcile/a.ts': "const j = await import('../jobs/j.ts')",
      'lib/http/a.ts': 'await import(name)',
      'lib/odd/a.ts': '',
      'jobs/a.ts': "import { x } from '../mappings/p/a.ts'\nimport { y } from '../lib/map/b.ts'",
    },
    /lib\/model\/a.ts:1 .*rung 6/,
    /lib\/fetch\/a.ts:1 .*rung 4/,
    /mappings import/,
    /reconcile\/a.ts:1/,
    /computed/,
    /lib\/odd has no rung/,
  )
})

test('planted: a cycle through a type import is found', () => {
  fails(
    rules.cycles,
    {
      'lib/a/x.ts': "import type { Y } from './y.ts'",
      'lib/a/y.ts': "import { z } from './z.ts'",
      'lib/a/z.ts': "export type { X } from './x.ts'",
    },
    /lib\/a\/x.ts -> lib\/a\/y.ts -> lib\/a\/z.ts -> lib\/a\/x.ts/,
  )
})

test('planted: an import of a file that is not there is found', () => {
  fails(rules.targetsExist, { 'lib/a/x.ts': "import './gone.ts'" }, /lib\/a\/gone.ts/)
})

test('planted: a package with two homes, and luxon outside time, are found', () => {
  fails(
    rules.oneImporter,
    {
      'lib/db/a.ts': "import pg from 'pg'",
      'lib/load/a.ts': "import type { Client } from 'pg'",
      'lib/model/a.ts': "import 'luxon'",
    },
    /pg is imported in lib\/db\/a.ts:1 and lib\/load\/a.ts:1/,
    /luxon/,
  )
})

test('planted: an undeclared package is found', () => {
  fails(
    declared,
    { 'lib/x.ts': "import 'smtp-server'\nimport 'pg'", 'bin/demo.ts': "import 'smtp-server'" },
    /lib\/x.ts:1 imports smtp-server/,
  )
})

test('planted: the process is touched in five ways', () => {
  fails(
    rules.onlyBinTouchesProcess,
    {
      'lib/a.ts':
        "process.exit(1)\nprocess.env.X\nprocess?.argv\nprocess['env']\nimport { env } from 'node:process'\nspawned.process.env",
      'bin/tallyman.ts': 'process.exit(process.argv.length)',
      'test/a.ts': 'process.env.X',
    },
    /:1 /,
    /:2 /,
    /:3 /,
    /:4 /,
    /:5 /,
  )
})

test('planted: a product file that imports a test or fixture is found, the demo is not', () => {
  fails(
    rules.testStaysOutside,
    {
      'lib/a/b.ts': "import '../../test/support/x.ts'",
      'jobs/a.ts': "import '../fixtures/x.ts'",
      'bin/demo.ts': "import '../test/support/x.ts'",
    },
    /lib\/a\/b.ts:1/,
    /jobs\/a.ts:1/,
  )
})

test('planted: a file one line too long is found', () => {
  fails(
    rules.sizes,
    {
      'lib/a.ts': 'x\n'.repeat(301),
      'lib/b.ts': 'x\n'.repeat(300),
      'test/c.test.ts': 'x\n'.repeat(401),
      'test/d.test.ts': 'x\n'.repeat(400),
    },
    /lib\/a.ts has 301/,
    /test\/c.test.ts has 401/,
  )
})

test('planted: names that say nothing are found', () => {
  fails(
    rules.names,
    {
      'lib/utils/a.ts': '',
      'lib/csv-helpers.ts': '',
      'lib/model/types.ts': '',
      'test/types/a.test.ts': '',
      'lib/file-manager.test.ts': '',
      'lib/map/mapping.ts': '',
    },
    /lib\/utils\/a.ts/,
    /csv-helpers/,
    /model\/types/,
    /file-manager/,
  )
})

test('planted: a missing, thin or endless header is found', () => {
  const good = '/**\n * Says what the file does, and what it leaves to others.\n */\n'
  fails(
    rules.headers,
    {
      'lib/a.ts': 'export {}',
      'lib/b.ts': '/** Short. */',
      'lib/c.ts': `/**\n${' * words\n'.repeat(9)} */`,
      'lib/d.ts': good,
      'bin/e.ts': `#!/usr/bin/env node\n${good}`,
    },
    /lib\/a.ts does not open/,
    /lib\/b.ts: its header says too little/,
    /lib\/c.ts: its header has 9 lines/,
  )
})

test('planted: an export without a docstring of its own is found', () => {
  const source = `/** The header of the file is no docstring of the export. */
export const a = 1
/** Documented. */
export async function b(): Promise<void>
export async function b(x?: number): Promise<void> {}
// A plain comment is no docstring.
export abstract class C {}
export interface D {}
export type { E } from './e.ts'
export { f }
/** Documented. */
export type G = 1
export const h = defineTable('a', 'b', {}, { doc: 'Stated inside.' })
export const LIST = ['x'] as const
export type Item = (typeof LIST)[number]
export default {}
`
  fails(
    rules.docstrings,
    { 'lib/a.ts': source, 'test/a.test.ts': 'export const a = 1' },
    /export a /,
    /export C /,
    /export D /,
    /export LIST /,
  )
})

test('planted: a repeated title and a mere wish are found', () => {
  const source = `
test('a claim', () => {})
it.skip("a claim", () => {})
test('it should not', () => {})
test(\`each \${x}\`, () => {})
await t.test('another', () => {})
/x/.test('a claim')
`
  fails(
    rules.titles,
    { 'test/a.test.ts': source, 'test/b.test.ts': "test('another', () => {})" },
    /a.test.ts:3 repeats/,
    /says "should"/,
    /b.test.ts:1 repeats/,
  )
})

test('planted: a repeated, computed or unnamed failpoint is found', () => {
  fails(
    rules.failpoints,
    {
      'lib/a.ts': "failpoint('load.one')\nfailpoint('load.one')\nfailpoint(name)\nfailpoint('Loose')",
      'test/x.test.ts': "failpoint('load.one')",
    },
    /:2 repeats failpoint load.one of lib\/a.ts:1/,
    /:3: the failpoint/,
    /:4: failpoint Loose/,
  )
})
