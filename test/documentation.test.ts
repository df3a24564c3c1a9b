/**
 * Holds the pages to the source: codes, links, commands and words. The checks are
 * documentation-rules.ts; each is shown to fail on a planted page.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import * as rules from './support/documentation-rules.ts'
import { projectSources, ROOT, sourceFile } from './support/source-facts.ts'

const sources = await projectSources()
const exists = (path: string): boolean => existsSync(join(ROOT, path))
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const manifest = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

async function pages(): Promise<string[]> {
  const found: string[] = []
  for await (const path of glob(['*.md', 'docs/**/*.md', 'jobs/*.md', 'bench/*.md', 'fixtures/**/*.md'], {
    cwd: ROOT,
  }))
    found.push(path)
  return found.sort()
}

function none(complaints: readonly string[]): void {
  assert.ok(complaints.length === 0, `\n${complaints.join('\n')}`)
}

test('every error code has its row in docs/errors.md, and every row its code', () => {
  assert.ok(rules.codesInSource(sources).size > 10, 'the source was not read')
  none(rules.errorPageComplaints(sources, read('docs/errors.md')))
})

test('what the rows of docs/errors.md say of retries and people stands in their legend', () => {
  none(rules.legendComplaints(read('docs/errors.md')))
})

test('every failure of docs/delivery.md that is said to be held stands in the title of a test', () => {
  none(rules.heldByComplaints(sources, read('docs/delivery.md')))
})

test('every source file that a comment names exists', () => none(rules.staleNames(sources)))

test('every job has its page', () => none(rules.jobsWithoutPage(sources, exists)))

test('every relative link of every page leads somewhere', async () => {
  const all = await pages()
  assert.ok(all.includes('docs/errors.md'))
  none(
    all.flatMap(path => [
      ...rules.brokenLinks(path, read(path), exists),
      ...rules.brokenFragments(path, read(path)),
    ]),
  )
})

test('the glossary explains the words of the house and every break kind', async () => {
  const words = rules.glossaryWords(read('docs/glossary.md'))
  const { BREAK_KINDS, ROW_KINDS } = await import('../lib/model/break.ts')
  const { STEPS } = await import('../lib/model/steps.ts')
  const house = [
    'step',
    'job',
    'business date',
    'run',
    'attempt',
    'feed',
    'file',
    'record',
    'reject',
    'load',
    'revision',
    'snapshot',
    'break',
    'run ledger',
    'lease',
    'fence',
    'freeze',
    'verdict',
    'unit',
    'issue',
    'failpoint',
  ]
  none(
    [...STEPS, ...ROW_KINDS, ...BREAK_KINDS, ...house]
      .filter(word => !words.has(word))
      .map(word => `docs/glossary.md does not explain ${word}`),
  )
})

test('ARCHITECTURE.md fits on 150 lines', {
  skip: exists('ARCHITECTURE.md') ? false : 'not written yet',
}, () => {
  assert.ok(read('ARCHITECTURE.md').trimEnd().split('\n').length <= 150)
})

const readme = exists('README.md') ? read('README.md') : null

test('the README names the two commands, and they are scripts of package.json', {
  skip: readme === null ? 'not written yet' : false,
}, () => {
  const commands = rules.shellCommands(readme!)
  for (const script of ['demo', 'test']) {
    assert.ok(
      commands.includes(script === 'test' ? 'npm ci && npm test' : `npm ci && npm run ${script}`),
      `the README lacks the ${script} command`,
    )
    assert.ok(manifest.scripts[script] !== undefined)
  }
  const unknown = commands
    .flatMap(command => [...command.matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)].map(match => match[1]!))
    .filter(name => manifest.scripts[name] === undefined)
  none(unknown.map(name => `the README runs npm script ${name}, which does not exist`))
})

test('every tallyman command that a page shows is one that the program knows', {
  skip: exists('bin/tallyman.ts') && readme !== null ? false : 'not written yet',
}, async () => {
  const used = new Set<string>()
  for (const path of await pages()) {
    for (const command of rules.shellCommands(read(path))) {
      const called = /(?:npm run -s tallyman --|^tallyman|node bin\/tallyman\.ts) ([a-z]+)/.exec(command)?.[1]
      if (called !== undefined) used.add(called)
    }
  }
  const { stdout } = await promisify(execFile)(process.execPath, ['bin/tallyman.ts', '--help'], { cwd: ROOT })
  none(
    [...used]
      .filter(name => name !== 'help' && !new RegExp(`^ +${name}\\b`, 'm').test(stdout))
      .map(name => `tallyman ${name} is documented, and --help does not know it`),
  )
})

test('commands of the README that need no night behind them run', {
  skip: readme === null ? 'not written yet' : false,
  timeout: 60_000,
}, async () => {
  for (const command of rules.shellCommands(readme!)) {
    const args = /^npm run -s tallyman -- ((?:--help|next|check|[a-z]+ --help)\b.*)$/.exec(command)?.[1]
    if (args === undefined || /[|&;<>$`]/.test(args)) continue
    const words = [...args.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
      match => match[1] ?? match[2] ?? match[3]!,
    )
    await assert.doesNotReject(
      promisify(execFile)(process.execPath, ['bin/tallyman.ts', ...words], { cwd: ROOT }),
      command,
    )
  }
})

test('planted: a code without a row and rows without a code, twice, misplaced or half empty are found', () => {
  const files = [
    sourceFile(
      'lib/a.ts',
      "throw new LoadError('LOAD_A', `LOAD_IN_TEXT $x`)\nconst b = 'MAP_B', c = \"XLOAD_A\" // 'PARSE_COMMENT'",
    ),
    sourceFile('test/a.test.ts', "'FETCH_ONLY_IN_A_TEST'"),
  ]
  const row = '| a | no | operations | look |'
  const page = `## load\n| code | x |\n| LOAD_A ${row}\n| LOAD_A ${row}\n| LOAD_GONE ${row}\n## report\n| MAP_B | a | | b | c |`
  assert.deepEqual(rules.errorPageComplaints(files, page), [
    'docs/errors.md lists LOAD_A twice',
    'docs/errors.md lists LOAD_GONE, which is not in the source',
    'docs/errors.md lists MAP_B under report',
    'docs/errors.md: the row of MAP_B has not four filled cells',
  ])
  assert.deepEqual(rules.errorPageComplaints(files, `## map\n| MAP_B ${row}`), [
    'lib/a.ts:1 uses LOAD_A, which has no row in docs/errors.md',
  ])
})

test('planted: a failure without its test, a test without its failure and a double listing are found', () => {
  const files = [
    sourceFile('test/a.test.ts', "test('A1, A2: stands', () => {})\ntest(`C9: more`)\ntest('no id: A3', f)"),
    sourceFile('test/b.test.ts', "test('B1: stands', f)"),
    sourceFile('lib/c.ts', "test('F1: is no test', f)"),
  ]
  const page = [
    '| A1-A3 | x | y | `test/a.test.ts` |',
    '| A4, A1 | x | y | `test/b.test.ts` |',
    '| D1 | x | y | not yet |',
    '| D2 | x | y | perhaps |',
  ].join('\n')
  assert.deepEqual(rules.heldByComplaints(files, page), [
    'docs/delivery.md lists A1 twice',
    'docs/delivery.md: no title of test/a.test.ts begins with A3',
    'docs/delivery.md: no title of test/b.test.ts begins with A4',
    'docs/delivery.md: no title of test/b.test.ts begins with A1',
    'docs/delivery.md: test/b.test.ts holds none of A4, A1',
    'docs/delivery.md says neither which tests hold D2 nor "not yet"',
    'test/a.test.ts bears C9, and docs/delivery.md does not say that a test holds it',
    'test/b.test.ts bears B1, and docs/delivery.md does not say that a test holds it',
  ])
})

test('planted: a word that the legend of errors does not explain is found', () => {
  const page =
    'Retried: **no**. Who: **owner**, **partner**.\n\n## load\n| LOAD_A | a | no | owner, partner | b |\n| LOAD_B | a | maybe | somebody | b |'
  assert.deepEqual(rules.legendComplaints(page), [
    'docs/errors.md: the row of LOAD_B says "maybe", which the legend does not explain',
    'docs/errors.md: the row of LOAD_B says "somebody", which the legend does not explain',
  ])
})

test('planted: a comment that names a file of another day is found', () => {
  const files = [
    sourceFile('lib/a.ts', '/** See b.ts, lib/c.ts and <name>.ts. */\n// gone.ts\nconst x = "no-comment.ts"'),
    sourceFile('lib/b/b.ts', '// ../a.ts'),
  ]
  assert.deepEqual(rules.staleNames(files), [
    'lib/a.ts:1 names lib/c.ts, which does not exist',
    'lib/a.ts:2 names gone.ts, which does not exist',
  ])
})

test('planted: a broken link, picture or fragment is found, and those in code are left alone', () => {
  const page =
    '# A Title!\n[a](b.md#x) ![p](../gone.png) [c](https://x.y) [d](#a-title) [e](#none) `[f](g.md)`\n```\n[h](i.md)\n```\n<img src="pic.png">'
  const there = new Set(['docs/b.md'])
  assert.deepEqual(
    rules.brokenLinks('docs/x.md', page, path => there.has(path)),
    [
      'docs/x.md links to gone.png, which does not exist',
      'docs/x.md links to docs/pic.png, which does not exist',
    ],
  )
  assert.deepEqual(rules.brokenFragments('docs/x.md', page), [
    'docs/x.md links to #none, which is no heading',
  ])
})

test('planted: a job without a page is found', () => {
  const files = [
    sourceFile('jobs/fx-rates.ts', 'export default defineJob({})'),
    sourceFile('jobs/README.ts', ''),
  ]
  assert.deepEqual(
    rules.jobsWithoutPage(files, () => false),
    ['docs/integrations/fx-rates.md does not exist'],
  )
  assert.deepEqual(
    rules.jobsWithoutPage(files, path => path === 'docs/integrations/fx-rates.md'),
    [],
  )
})

test('shell blocks give their commands, and glossary tables their words', () => {
  assert.deepEqual(rules.shellCommands('```sh\n$ npm ci && npm test  # all\n# note\n\n```\n```ts\nx\n```'), [
    'npm ci && npm test',
  ])
  assert.deepEqual(
    [...rules.glossaryWords('| word | meaning |\n|---|---|\n| feed, File | a |\n**run ledger** is')],
    ['word', 'feed', 'file', 'run ledger'],
  )
})
