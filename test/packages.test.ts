/**
 * The least versions of packages: below them something is known to be wrong that this project would
 * meet. Asked of the lockfile, which needs no registry that answers an audit. A pin may always be higher.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

/** Least version, and what is wrong below it. */
const LEAST: Readonly<Record<string, readonly [version: string, because: string]>> = {
  'csv-parse': ['7.0.3', 'a column named like a part of every object replaced that part (before 7.0.2)'],
  'fast-xml-parser': [
    '5.12.1',
    'a second DOCTYPE began the count of entities anew (before 5.10.1), and long runs of blanks took quadratic time (before 5.11.1)',
  ],
  nodemailer: [
    '10.6.0',
    'socketCloseTimeout is not known, and a domain ended at a blank or comment before its dot, so mail went elsewhere (before 10.4.1)',
  ],
  ssh2: ['1.15.0', 'the beginning of a session could be cut by somebody in between (Terrapin)'],
  luxon: ['3.2.1', 'a long text kept the date parser busy for minutes'],
  knex: ['2.4.0', 'an object in place of a value became part of the statement on MySQL'],
}

type Lock = Readonly<Record<string, { readonly version?: string; readonly dev?: boolean }>>

/** Every copy of a package that is below its least version, with the reason. */
function tooOld(lock: Lock): string[] {
  return Object.entries(lock).flatMap(([place, { version, dev }]) => {
    const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
    const least = LEAST[name]
    if (least === undefined || version === undefined || dev === true || isAtLeast(version, least[0]))
      return []
    return [`${place} is ${version}, at least ${least[0]} is needed: ${least[1]}`]
  })
}

function isAtLeast(version: string, least: string): boolean {
  const [have, need] = [version, least].map(text => text.split(/[.-]/).slice(0, 3).map(Number)) as [
    number[],
    number[],
  ]
  const at = need.findIndex((part, index) => part !== have[index])
  return at < 0 || have[at]! > need[at]!
}

test('no package is older than the version that mends what we would meet', () => {
  const { packages } = JSON.parse(
    readFileSync(path.join(import.meta.dirname, '..', 'package-lock.json'), 'utf8'),
  ) as { packages: Lock }
  for (const name of Object.keys(LEAST))
    assert.ok(`node_modules/${name}` in packages, `${name} is no package of ours`)
  assert.deepEqual(tooOld(packages), [])
})

test('planted: an old package is found, as a copy inside another one too, and a newer one is not', () => {
  const found = tooOld({
    'node_modules/nodemailer': { version: '10.5.9' },
    'node_modules/a/node_modules/luxon': { version: '3.2.0' },
    'node_modules/knex': { version: '3.0.0' },
    'node_modules/ssh2': { version: '1.15.0' },
    'node_modules/csv-parse': { version: '5.0.0', dev: true },
  })
  assert.deepEqual(
    found.map(line => line.split(',')[0]),
    ['node_modules/nodemailer is 10.5.9', 'node_modules/a/node_modules/luxon is 3.2.0'],
  )
})
