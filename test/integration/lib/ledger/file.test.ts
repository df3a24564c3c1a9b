/**
 * A delivery seen again: what fetch refused is judged anew, what parse refused waits for a rerun, and
 * no judgement makes a run owed twice.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { filesOfDate, type ReceivedFile, recordFile, setFileState } from '../../../../lib/ledger/file.ts'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { listRuns } from '../../../../lib/ledger/run-list.ts'
import { testDatabase } from '../../../support/postgres.ts'
import { sha } from '../../../support/run-ledger.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

const MISMATCH = 'a.csv came over with another SHA-256 than stated. [FETCH_CHECKSUM_MISMATCH]'
const DATE = '2026-11-20'

let feeds = 0

/** One delivery of a feed of its own, to be recorded again and again with what is new about it. */
function delivery() {
  feeds += 1
  const feed = `feed-${feeds}`
  const file: ReceivedFile = {
    ...{ feed, businessDate: DATE, job: feed, remoteName: 'a.csv', size: 9, mtimeMs: 1_700_000_000_000 },
    ...{ rawSha256: sha('raw'), contentSha256: sha('raw'), contentBytes: 9, archive: `${feed}/raw` },
  }
  return {
    record: (changes: Partial<ReceivedFile> = {}) =>
      database.use(connection => recordFile(connection, { ...file, ...changes })),
    rows: (date = DATE) => database.use(connection => filesOfDate(connection, feed, date)),
    /** Whether the date is owed a run; from now on it is not. */
    owed: async () => {
      const runs = await database.use(connection => listRuns(connection, { jobs: [feed] }))
      await database.use(connection =>
        connection.query('UPDATE tallyman.run SET owed = false WHERE job = $1', [feed]),
      )
      return runs.some(run => run.owed)
    },
  }
}

const refused = (reason: string) => ({ state: 'quarantined' as const, reason })

test('a file that fetch refused leaves quarantine when the same bytes are judged well', async () => {
  const { record, rows, owed } = delivery()
  const first = await record(refused(MISMATCH))
  await owed()
  const second = await record({ contentSha256: sha('decoded'), contentBytes: 40, archive: 'elsewhere' })
  assert.deepEqual(second, {
    ...first,
    ...{
      state: 'received',
      reason: '',
      contentSha256: sha('decoded'),
      contentBytes: 40,
      archive: 'elsewhere',
    },
  })
  assert.deepEqual(await rows(), [second])
  assert.equal(await owed(), true)
  assert.deepEqual(await record(), second)
  assert.equal(await owed(), false, 'seen once more nothing is owed')
})

test('a file that is as bad as before keeps its place with the newest reason and owes no run', async () => {
  const { record, rows, owed } = delivery()
  await record(refused(MISMATCH))
  assert.equal(await owed(), true)
  await record(refused('a.csv is empty. [FETCH_FILE_EMPTY]'))
  assert.deepEqual(
    (await rows()).map(row => [row.state, row.reason]),
    [['quarantined', 'a.csv is empty. [FETCH_FILE_EMPTY]']],
  )
  assert.equal(await owed(), false)
})

test('a file that parse or the freeze refused stays in quarantine when its bytes come again', async () => {
  for (const reason of [
    'a.csv ended without its trailer. [PARSE_TRAILER_MISSING]',
    // The partner chooses the name; only the code at the end is ours.
    'x [FETCH_FILE_EMPTY].csv ended without its trailer. [PARSE_TRAILER_MISSING]',
    'same content as b.csv of 2026-11-19; the feed refuses it',
  ]) {
    const { record, rows, owed } = delivery()
    const { id } = await record()
    await database.use(connection => setFileState(connection, id, 'quarantined', reason))
    await owed()
    await record()
    await record(refused(MISMATCH))
    assert.deepEqual(
      (await rows()).map(row => [row.state, row.reason]),
      [['quarantined', reason]],
    )
    assert.equal(await owed(), false)
  }
})

test('a received file that is fetched again and no longer fits its checksum is not loaded', async () => {
  const { record, rows } = delivery()
  await record()
  await record(refused(MISMATCH))
  assert.deepEqual(
    (await rows()).map(row => [row.state, row.reason]),
    [['quarantined', MISMATCH]],
  )
})

test('an applied file stays applied whatever is thought of its bytes later', async () => {
  const { record, rows } = delivery()
  const { id } = await record()
  await database.use(connection =>
    connection.query(`UPDATE tallyman.file SET state = 'applied' WHERE id = $1`, [id]),
  )
  await record(refused(MISMATCH))
  await record()
  assert.deepEqual(
    (await rows()).map(row => [row.state, row.reason]),
    [['applied', '']],
  )
})

test('a file that at last tells its date leaves the dates under which it was refused', async () => {
  const { record, rows } = delivery()
  await record({ businessDate: '2026-11-21', ...refused(MISMATCH) })
  await record({ businessDate: '2026-11-22', ...refused(MISMATCH) })
  await record({ statesItsDate: true })
  assert.deepEqual([await rows('2026-11-21'), await rows('2026-11-22')], [[], []])
  assert.deepEqual(
    (await rows()).map(row => row.state),
    ['received'],
  )
})

test('a file whose date is that of the run stays refused under the other dates', async () => {
  const { record, rows } = delivery()
  await record({ businessDate: '2026-11-21', ...refused(MISMATCH) })
  await record()
  assert.equal((await rows('2026-11-21'))[0]?.state, 'quarantined')
})
