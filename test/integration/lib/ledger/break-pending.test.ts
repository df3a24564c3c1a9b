/**
 * Rows that may still arrive, over nights on a real run ledger: no breaks, but one that is missing in the end
 * was first seen when it was first awaited.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countOlder } from '../../../../lib/ledger/break-ledger-ages.ts'
import { BreakNights, type Look } from '../../../support/break-nights.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()

const missing: Look = { left: { a: 1, b: 1 }, right: { b: 1 } }
const awaited: Look = { ...missing, awaited: ['a'] }
const equal: Look = { left: { b: 1 }, right: { b: 1 } }

test('a row that was awaited and then is missing keeps its first date, in whatever order nights are compared', async () => {
  for (const [name, order] of [
    ['in-order', [0, 1, 2, 3]],
    ['old-last', [3, 2, 0, 1]],
    ['again', [0, 1, 2, 3, 1]],
  ] as const) {
    const nights = new BreakNights(database, `pending-${name}`)
    const looks: readonly [string, Look][] = [
      ['2026-11-02', equal],
      ['2026-11-03', awaited],
      ['2026-11-04', awaited],
      ['2026-11-05', missing],
    ]
    for (const at of order) await nights.compare(...looks[at]!)
    const { course } = (await nights.breaks()).get('a')!
    assert.deepEqual([course.state, course.firstSeen, course.runs], ['new', '2026-11-03', 1], name)
  }
})

test('awaiting makes no break, and a row that came in between was not awaited all along', async () => {
  const nights = new BreakNights(database, 'pending-gap')
  const first = await nights.compare('2026-11-02', awaited)
  assert.deepEqual([first.counts.new, (await nights.breaks()).size], [0, 0])
  await nights.compare('2026-11-03', equal)
  await nights.compare('2026-11-04', missing)
  assert.equal((await nights.breaks()).get('a')!.course.firstSeen, '2026-11-04')
})

test('a date that is compared again and awaits nothing any more is forgotten as a first date', async () => {
  const nights = new BreakNights(database, 'pending-forgotten')
  await nights.compare('2026-11-02', awaited)
  await nights.compare('2026-11-03', missing)
  assert.equal((await nights.breaks()).get('a')!.course.firstSeen, '2026-11-02')
  await nights.compare('2026-11-02', equal)
  assert.equal((await nights.breaks()).get('a')!.course.firstSeen, '2026-11-03')
})

test('breaks older than a date are counted as of the night in hand', async () => {
  const nights = new BreakNights(database, 'pending-ages')
  await nights.compare('2026-11-02', missing)
  await database.use(connection =>
    connection.transaction(async () => {
      const { ledger } = await nights.compareOn(connection, '2026-11-05', {
        ...missing,
        left: { a: 1, b: 1, c: 1 },
      })
      const older = (date: string): Promise<number> =>
        countOlder(connection, ledger, 'missing_in_target', date)
      assert.deepEqual(
        [await older('2026-11-01'), await older('2026-11-02'), await older('2026-11-05')],
        [0, 1, 2],
      )
    }),
  )
})
