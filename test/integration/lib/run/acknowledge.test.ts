/**
 * Acknowledging on a real run ledger: one person, two where the job wants four eyes, and taking it back.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LastingBreak } from '../../../../lib/ledger/break-ledger-list.ts'
import { countsOfNight } from '../../../../lib/ledger/break-ledger-list.ts'
import type { Timetable } from '../../../../lib/model/job.ts'
import { acknowledgeBreaks, confirmBreaks, takeBackBreaks } from '../../../../lib/run/acknowledge.ts'
import { BreakNights } from '../../../support/break-nights.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()

const kim = { name: 'kim', account: 'root' }
const lee = { name: 'lee', account: 'root' }
const given = { by: kim, owner: 'treasury', reason: 'known', until: '2026-11-30' }
const REFUSED = { code: 'CONFIG_ACKNOWLEDGE_REFUSED' }

/** A timetable of one job whose comparison wants four eyes above 100. */
function wantingFourEyes(job: string): Timetable {
  const comparisons = [{ name: 'rows', acknowledge: { fourEyesAbove: '100' } }]
  return { jobs: [{ job: { name: job, reconcile: { comparisons } } }] } as unknown as Timetable
}

/** Two breaks, one of 10 and one of 500, as of 2026-11-02. */
async function twoBreaks(job: string): Promise<{
  engine: Parameters<typeof acknowledgeBreaks>[0]
  nights: BreakNights
  named: (key: string) => Promise<LastingBreak>
}> {
  const nights = new BreakNights(database, job)
  await nights.compare('2026-11-02', { left: { small: 0, large: 0 }, right: { small: 10, large: 500 } })
  return {
    engine: { database, timetable: wantingFourEyes(job) },
    nights,
    named: async key => (await nights.breaks()).get(key)!,
  }
}

const countsOf = (nights: BreakNights) =>
  database.use(connection => countsOfNight(connection, nights.reconciliation, '2026-11-02'))

test('a large amount waits for another person, and only another one can confirm', async () => {
  const { engine, nights, named } = await twoBreaks('eyes')
  const both = [await named('small'), await named('large')]
  const done = await acknowledgeBreaks(engine, both, given)
  assert.deepEqual(done.map(({ found, waits }) => `${found.key.k} ${found.shown} ${waits}`).sort(), [
    'large new true',
    'small acknowledged false',
  ])
  assert.equal((await named('small')).acknowledgement?.owner, 'treasury')
  const large = [await named('large')]
  await assert.rejects(confirmBreaks(engine, large, { ...kim, name: ' KIM ' }), REFUSED)
  await assert.rejects(confirmBreaks(engine, both, lee), REFUSED, 'the small one waits for nobody')
  assert.equal((await named('large')).shown, 'new', 'all of them or none')
  assert.deepEqual((await confirmBreaks(engine, large, lee))[0]?.found.shown, 'acknowledged')
  const counts = await countsOf(nights)
  assert.deepEqual([counts?.acknowledged, counts?.new], [2, 0])
})

test('an acknowledgement taken back leaves the break as it was, and can not be taken back twice', async () => {
  const { engine, nights, named } = await twoBreaks('back')
  await acknowledgeBreaks(engine, [await named('small')], given)
  const [back] = await takeBackBreaks(engine, [await named('small')], lee, 'was a mistake')
  assert.deepEqual([back?.found.shown, back?.found.acknowledgement], ['new', null])
  await assert.rejects(takeBackBreaks(engine, [await named('small')], lee, 'again'), REFUSED)
  const counts = await countsOf(nights)
  assert.deepEqual([counts?.acknowledged, counts?.new], [0, 2])
})

test('what is resolved, or over before it began, can not be acknowledged', async () => {
  const { engine, nights, named } = await twoBreaks('over')
  const late = { ...given, until: '2026-11-01' }
  await assert.rejects(acknowledgeBreaks(engine, [await named('small')], late), REFUSED)
  await nights.compare('2026-11-03', { left: { small: 10 }, right: { small: 10 } })
  await assert.rejects(acknowledgeBreaks(engine, [await named('small')], given), REFUSED)
})

test('an acknowledgement made anew ends the one before, so that never two hold', async () => {
  const { engine, named } = await twoBreaks('anew')
  await acknowledgeBreaks(engine, [await named('small')], given)
  await acknowledgeBreaks(engine, [await named('small')], { ...given, owner: 'sales' })
  assert.equal((await named('small')).acknowledgement?.owner, 'sales')
  await takeBackBreaks(engine, [await named('small')], kim, 'done')
  assert.equal((await named('small')).acknowledgement, null)
})
