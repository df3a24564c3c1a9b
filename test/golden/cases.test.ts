/**
 * Every folder fixtures/<partner>/<feed>/<case>/ is a test: its files, read as the job of that feed reads
 * them, give exactly expected-rows.json and expected-rejects.json, or expected-error.json. A new case
 * needs no code; support/golden-case.ts writes its first expectation.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { caseFolders, feedsOfJobs, runCase } from '../support/golden-case.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const feeds = await feedsOfJobs()
const folders = await caseFolders()

function expected(folder: string, name: string): unknown {
  const path = join(folder, name)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null
}

test('every feed of a job has at least one golden case', () => {
  const covered = new Set(folders.map(folder => relative(ROOT, folder).split(/[\\/]/)[2]))
  assert.deepEqual(
    [...feeds.keys()].filter(feed => !covered.has(feed)),
    [],
  )
})

for (const folder of folders) {
  const name = relative(join(ROOT, 'fixtures'), folder)
  test(`the delivery ${name} is mapped to its expected rows and rejects`, async () => {
    const result = await runCase(folder, feeds)
    const error = expected(folder, 'expected-error.json') as { readonly error: string } | null
    assert.equal(result.error, error?.error ?? null)
    if (error !== null) return
    assert.deepEqual(result.rows, expected(folder, 'expected-rows.json'))
    assert.deepEqual(result.rejects, expected(folder, 'expected-rejects.json'))
  })
}
