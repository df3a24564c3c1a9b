/** What the postgres builder gives and refuses. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { DEFAULT_REJECT_LIMIT, postgres } from '../../../../lib/load/postgres.ts'
import type { TallymanError } from '../../../../lib/model/errors.ts'
import { column, defineTable } from '../../../../lib/model/table.ts'

const day = column.date({ doc: 'Day.' })
const ref = column.text({ doc: 'Reference.' })
const options = { doc: 'A table.' }

test('a load into one table is known as rows and gets the default limits', () => {
  const table = defineTable('erp', 't', { day, ref }, { ...options, key: ['ref'] })
  const spec = postgres({ table, mode: 'upsert', rejects: { maxCount: 5 } })
  assert.equal(spec.tables.rows, table)
  assert.deepEqual(spec.rejects, { ...DEFAULT_REJECT_LIMIT, maxCount: 5 })
  assert.equal(spec.scope, null)
})

test('all that a load asks for in vain is refused at once', () => {
  const keyless = defineTable('erp', 'keyless', { day, ref }, { ...options, key: [] })
  const elsewhere = defineTable('erp', 'elsewhere', { ref }, { ...options, key: ['ref'] })
  const moving = defineTable('erp', 'moving', { day, ref }, { ...options, key: ['ref'] })
  const complaint = (make: () => unknown): string => {
    try {
      make()
    } catch (error) {
      assert.equal((error as TallymanError).code, 'CONFIG_LOAD_INVALID')
      return (error as Error).message
    }
    return ''
  }
  assert.match(
    complaint(() => postgres({ table: keyless, mode: 'upsert', maxDeletePercent: 101 })),
    /erp\.keyless has no key.*maxDeletePercent is 101/,
  )
  const scoped = complaint(() =>
    postgres({ tables: { elsewhere, moving, keyless }, mode: 'replace', scope: 'day' }),
  )
  assert.match(scoped, /erp\.elsewhere has no field day.*erp\.moving lacks day in its key/)
  assert.doesNotMatch(scoped, /keyless (has|lacks)/)
  assert.match(
    complaint(() => postgres({ table: keyless, mode: 'replace' })),
    /needs `scope`/,
  )
  assert.match(
    complaint(() => postgres({ table: moving, mode: 'mirror', scope: 'day' })),
    /takes no scope/,
  )
  assert.match(
    complaint(() => postgres({ tables: { a: moving, b: moving }, mode: 'mirror' })),
    /twice/,
  )
})
