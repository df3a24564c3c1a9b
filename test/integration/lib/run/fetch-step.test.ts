/**
 * The fetch step with its run ledger: what becomes of a file in quarantine over several fetches, over
 * a real SFTP server and Postgres.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { checksum } from '../../../../lib/fetch/sources.ts'
import { filesOfDate } from '../../../../lib/ledger/file.ts'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { listRuns } from '../../../../lib/ledger/run-list.ts'
import { Secret } from '../../../../lib/model/secret.ts'
import { systemClock } from '../../../../lib/model/time/clock.ts'
import type { Engine } from '../../../../lib/run/engine.ts'
import { fetchFeed } from '../../../../lib/run/fetch-step.ts'
import { reopenQuarantined } from '../../../../lib/run/freeze-rules.ts'
import { DATE, endpointOf, feedUnderTest } from '../../../support/fetch-feed.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

const NAME = 'SHIP_20261120_01.csv'
const ROWS = 'ref;kg\nA1;12.5\n'
const sidecarOf = (content: string) => `${createHash('sha256').update(content).digest('hex')}  ${NAME}\n`

/** A feed with checksums, and the parts of an engine that its fetch step needs. */
async function checkedFeed(t: TestContext, name: string) {
  const feed = await feedUnderTest(t, { feed: name, completeWhen: checksum('{name}.sha256') })
  const engine = {
    ...{
      database,
      folders: { archive: feed.archive.path },
      secrets: async () => new Secret('canary-correct-horse'),
    },
    environment: { name: 'test', dataFolder: '.', sftp: { carrier: endpointOf(feed.peer) } },
  } as unknown as Engine
  const context = { ...feed.context, clock: systemClock }
  return {
    ...feed,
    engine,
    fetchStep: () => fetchFeed(engine, feed.spec, DATE, name, context),
    rows: async () => {
      const rows = await database.use(connection => filesOfDate(connection, name, DATE))
      return rows.map(row => [row.state, row.reason.slice(row.reason.lastIndexOf('['))])
    },
    /** Whether the date is owed a run; from now on it is not. */
    owed: async () => {
      const [run] = await database.use(connection => listRuns(connection, { jobs: [name] }))
      await database.use(connection =>
        connection.query('UPDATE tallyman.run SET owed = false WHERE job = $1', [name]),
      )
      return run?.owed
    },
  }
}

test('a delivery whose checksum file was wrong is owed a run as soon as that is corrected', async t => {
  const feed = await checkedFeed(t, 'corrected')
  feed.put(NAME, ROWS)
  feed.put(`${NAME}.sha256`, sidecarOf('something else'))
  await feed.fetchStep()
  assert.deepEqual(await feed.rows(), [['quarantined', '[FETCH_CHECKSUM_MISMATCH]']])
  assert.equal(await feed.owed(), true)
  await feed.fetchStep()
  assert.equal(await feed.owed(), false)
  feed.put(`${NAME}.sha256`, sidecarOf(ROWS))
  assert.equal((await feed.fetchStep()).received.length, 1)
  assert.deepEqual(await feed.rows(), [['received', '']])
  assert.equal(await feed.owed(), true)
})

test('a rerun never loads a file that still does not have its checksum', async t => {
  const feed = await checkedFeed(t, 'rerun')
  feed.put(NAME, ROWS)
  feed.put(`${NAME}.sha256`, sidecarOf('something else'))
  await feed.fetchStep()
  await database.use(connection => reopenQuarantined(connection, 'rerun', DATE))
  assert.deepEqual(await feed.rows(), [['quarantined', '[FETCH_CHECKSUM_MISMATCH]']])
  assert.deepEqual((await feed.fetchStep()).received, [])
  assert.deepEqual(await feed.rows(), [['quarantined', '[FETCH_CHECKSUM_MISMATCH]']])
})
