/** The pages under docs/integrations are those that the jobs make. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { STEPS } from '../../lib/model/steps.ts'
import { jobPages } from '../support/write-job-pages.ts'

const ROOT = join(import.meta.dirname, '..', '..')

test('each job has its current page: run `node test/support/write-job-pages.ts` after a change', async () => {
  for (const { path, text } of await jobPages()) {
    assert.equal(readFileSync(join(ROOT, path), 'utf8'), text, `${path} is stale`)
  }
})

test('a page has the six steps as headings, in their order, and a meaning for every field', async () => {
  for (const { path, text } of await jobPages()) {
    assert.deepEqual(
      text.match(/^## .*$/gm),
      STEPS.map(step => `## ${step}`),
      path,
    )
    for (const row of text.match(/^\| `.*\|$/gm) ?? [])
      assert.doesNotMatch(row, /\|\s*\|$/, `${path}: ${row}`)
  }
})
