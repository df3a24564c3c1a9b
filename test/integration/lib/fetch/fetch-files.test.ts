/**
 * The failure catalogue's lines about files, over a real SFTP server that misbehaves as told.
 * Crashes (A4, A5) are in crash.test.ts, packed files in decode.test.ts, what happens after the load in finish-remote.test.ts.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fetchFiles } from '../../../../lib/fetch/fetch-files.ts'
import { checksum, marker } from '../../../../lib/fetch/sources.ts'
import { DATE, feedUnderTest } from '../../../support/fetch-feed.ts'

const NAME = 'SHIP_20261120_01.csv'
const ROWS = 'ref;kg\nA1;12.5\n'.repeat(20_000)
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')

test('a file is downloaded, hashed and archived under a name made of its hash', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  feed.put('SHIP_20261121_01.csv', 'of another date')
  feed.put('other.csv', 'of another feed')
  const found = await feed.fetch()
  const [file] = found.received
  assert.equal(file?.rawSha256, sha256(ROWS))
  assert.equal(readFileSync(file?.contentPath ?? '', 'utf8'), ROWS)
  assert.deepEqual(feed.archived(), [`shipments/${DATE}/${sha256(ROWS)}.raw`])
  assert.equal(file?.archive, `shipments/${DATE}/${sha256(ROWS)}.raw`)
  assert.deepEqual(
    found.otherDates.map(other => [other.remoteName, other.businessDate]),
    [['SHIP_20261121_01.csv', '2026-11-21']],
  )
  assert.deepEqual(feed.rows, found.received)
})

test('a known unchanged file is not downloaded again, a changed one is, and a lost archive is mended', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  const first = await feed.fetch()
  const again = await feed.fetch({ known: first.received })
  assert.equal(again.received[0]?.known, true)
  assert.equal(again.received[0]?.contentPath, first.received[0]?.contentPath)
  assert.equal(feed.rows.length, 1)
  assert.equal(feed.peer.seen.filter(what => what.startsWith('OPEN ')).length, 1)
  for (const damage of [rmSync, (path: string) => truncateSync(path, 10)]) {
    damage(first.received[0]?.rawPath ?? '')
    const mended = await feed.fetch({ known: first.received })
    assert.equal(readFileSync(mended.received[0]?.contentPath ?? '', 'utf8'), ROWS)
  }
  assert.equal(feed.rows.length, 3)
  feed.put(NAME, `${ROWS}A2;1\n`, 60)
  const corrected = await feed.fetch({ known: first.received })
  assert.equal(corrected.received[0]?.rawSha256, sha256(`${ROWS}A2;1\n`))
})

test('files come in the order of their arrival: by mtime, then by name', async t => {
  const feed = await feedUnderTest(t)
  feed.put('SHIP_20261120_a.csv', 'late', 60)
  feed.put('SHIP_20261120_c.csv', 'early c')
  feed.put('SHIP_20261120_b.csv', 'early b')
  const names = (await feed.fetch()).received.map(file => file.remoteName.at(-5))
  assert.deepEqual(names, ['b', 'c', 'a'])
  assert.deepEqual(
    feed.rows.map(file => file.remoteName.at(-5)),
    names,
  )
})

test('B1: a connection dropped in the middle of a download is made anew and the file fetched whole', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  feed.peer.faults.cutAfter = 100_000
  feed.peer.faults.times = 2
  const found = await feed.fetch()
  assert.equal(found.received[0]?.rawSha256, sha256(ROWS))
  assert.equal(feed.archived().length, 1)
})

test('B1: a line that never holds ends in an error and leaves nothing behind', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  feed.peer.faults.cutAfter = 100_000
  await assert.rejects(feed.fetch(), { code: 'FETCH_CONNECTION_LOST', retry: 'backoff' })
  assert.deepEqual(feed.archived(), [])
  assert.equal(feed.pauses.taken.length, 1 + 4, 'one pause to settle, four between five tries')
})

test('B1: a server that closes SFTP but keeps the connection is asked on a new one', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  feed.peer.faults.hangUpAfter = 100_000
  feed.peer.faults.times = 1
  assert.equal((await feed.fetch()).received[0]?.rawSha256, sha256(ROWS))
})

test('B2: a transfer that ends early without an error is never taken for the file', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  feed.peer.faults.endAfter = 150_000
  await assert.rejects(feed.fetch(), { code: 'FETCH_FILE_TRUNCATED' })
  assert.deepEqual(feed.archived(), [])
  feed.peer.faults.times = 1
  const found = await feed.fetch()
  assert.equal(found.received[0]?.rawSha256, sha256(ROWS))
})

test('B3: a server that goes silent in the middle of a file is dropped after the allowed silence', async t => {
  const feed = await feedUnderTest(t, {}, { stallMs: 150 })
  feed.put(NAME, ROWS)
  feed.peer.faults.stallAfter = 100_000
  feed.peer.faults.times = 1
  assert.equal((await feed.fetch()).received[0]?.rawSha256, sha256(ROWS))
  delete feed.peer.faults.times
  await assert.rejects(feed.fetch(), { code: 'FETCH_STALLED' })
  assert.deepEqual(feed.archived(), [`shipments/${DATE}/${sha256(ROWS)}.raw`])
})

test('B3: a server that never answers a listing is dropped as well', async t => {
  const feed = await feedUnderTest(t, {}, { stallMs: 100 })
  feed.peer.faults.stallListing = true
  await assert.rejects(feed.fetch(), { code: 'FETCH_STALLED' })
})

test('B3: a server that lets in but never opens SFTP is dropped too', async t => {
  const feed = await feedUnderTest(t, {}, { stallMs: 100 })
  feed.peer.faults.neverOpens = true
  await assert.rejects(feed.fetch(), { code: 'FETCH_STALLED' })
})

test('B4: a file that grows between two listings is held and not downloaded', async t => {
  const feed = await feedUnderTest(t)
  const path = feed.put(NAME, ROWS)
  feed.pauses.onSleep = () => appendFileSync(path, 'A3;1\n')
  const found = await feed.fetch()
  assert.deepEqual(found.received, [])
  assert.deepEqual(
    found.held.map(file => file.code),
    ['FETCH_FILE_GROWING'],
  )
  assert.equal(found.missing, false)
  assert.equal(
    feed.peer.seen.some(what => what.startsWith('OPEN ')),
    false,
  )
})

test('B4: a file that is written anew between two listings with the same size is held', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  feed.pauses.onSleep = () => feed.put(NAME, ROWS.replaceAll('12.5', '99.9'), 60)
  const found = await feed.fetch()
  assert.deepEqual(
    found.held.map(file => file.code),
    ['FETCH_FILE_CHANGED'],
  )
  assert.deepEqual(feed.archived(), [])
})

test('B8: a file that is exchanged under the download keeping its mtime or its size is fetched as it is now', async t => {
  for (const [before, after, secondsLater] of [
    [ROWS, ROWS.replaceAll('12.5', '99.9'), 60],
    // Read whole before it is exchanged: only its size after the download tells.
    ['ref;kg\nA1;12.5\n', 'ref;kg\nA1;1\n', 0],
  ] as const) {
    const feed = await feedUnderTest(t)
    feed.put(NAME, before)
    feed.peer.faults.times = 1
    feed.peer.faults.duringDownload = () => feed.put(NAME, after, secondsLater)
    assert.deepEqual(
      (await feed.fetch()).received.map(file => file.rawSha256),
      [sha256(after)],
    )
    assert.equal(feed.archived().length, 1)
  }
})

test('a sidecar that is longer than any checksum file holds its file and is not read to its end', async t => {
  const feed = await feedUnderTest(t, { completeWhen: checksum('{name}.sha256') })
  feed.put(NAME, ROWS)
  feed.put(`${NAME}.sha256`, `${sha256(ROWS)}  ${NAME}\n`.padEnd(100_000, '\n'))
  const found = await feed.fetch()
  assert.deepEqual(
    found.held.map(file => file.code),
    ['FETCH_CHECKSUM_UNREADABLE'],
  )
})

test('a file whose row can not be written is the last that is fetched', async t => {
  const feed = await feedUnderTest(t)
  feed.put('SHIP_20261120_1.csv', ROWS)
  feed.put('SHIP_20261120_2.csv', ROWS, 60)
  const lost = new Error('the run ledger is gone')
  const { spec, source, archive, context } = feed
  const request = { spec, businessDate: DATE, source, archive, context, known: [] }
  await assert.rejects(fetchFiles({ ...request, onReceived: () => Promise.reject(lost) }), lost)
  assert.deepEqual(
    feed.peer.seen.filter(what => what.startsWith('OPEN ')),
    ['OPEN /out/SHIP_20261120_1.csv'],
  )
})

test('B4: a file that grows under the download is thrown away and held', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  feed.peer.faults.duringDownload = path => appendFileSync(path, 'A3;1\n')
  const found = await feed.fetch()
  assert.deepEqual(
    found.held.map(file => file.code),
    ['FETCH_FILE_GROWING'],
  )
  assert.deepEqual(feed.archived(), [])
})

test('B8: a file replaced under the download is thrown away, looked at anew and fetched as it is now', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  const other = ROWS.replaceAll('12.5', '99.9')
  feed.peer.faults.times = 1
  feed.peer.faults.duringDownload = path => {
    writeFileSync(`${path}.new`, other)
    renameSync(`${path}.new`, path)
  }
  const found = await feed.fetch()
  assert.deepEqual(
    found.received.map(file => file.rawSha256),
    [sha256(other)],
  )
  assert.equal(feed.archived().length, 1)
  assert.equal(feed.rows.length, 1)
})

test('B8: a file that shrinks under the download is never archived', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, ROWS)
  feed.peer.faults.duringDownload = path => truncateSync(path, readFileSync(path).length - 7)
  const found = await feed.fetch()
  assert.deepEqual(
    found.held.map(file => file.code),
    ['FETCH_FILE_CHANGED'],
  )
  assert.deepEqual(feed.archived(), [])
})

test('B5: a file waits for its checksum and is quarantined when it does not have it', async t => {
  const feed = await feedUnderTest(t, { completeWhen: checksum('{name}.sha256') })
  feed.put(NAME, ROWS)
  assert.deepEqual(
    (await feed.fetch()).held.map(file => file.code),
    ['FETCH_CHECKSUM_MISSING'],
  )
  feed.put(`${NAME}.sha256`, `${sha256('something else')}  ${NAME}\n`)
  const wrong = await feed.fetch()
  assert.equal(wrong.quarantined[0]?.quarantine?.code, 'FETCH_CHECKSUM_MISMATCH')
  assert.deepEqual(wrong.received, [])
  assert.equal(feed.rows[0]?.quarantine?.code, 'FETCH_CHECKSUM_MISMATCH')
  feed.put(`${NAME}.sha256`, `${createHash('md5').update(ROWS).digest('hex').toUpperCase()} *${NAME}\r\n`)
  assert.equal((await feed.fetch()).received[0]?.rawSha256, sha256(ROWS))
})

test('a file waits for its done marker, which is never loaded itself', async t => {
  const feed = await feedUnderTest(t, { completeWhen: marker('{name}.done'), files: 'SHIP_{yyyyMMdd}_*' })
  feed.put(NAME, ROWS)
  assert.deepEqual(
    (await feed.fetch()).held.map(file => file.code),
    ['FETCH_MARKER_MISSING'],
  )
  feed.put(`${NAME}.done`, '')
  assert.deepEqual(
    (await feed.fetch()).received.map(file => file.remoteName),
    [NAME],
  )
  assert.deepEqual(feed.pauses.taken, [], 'nothing is waited for')
})

test('B9: nothing of the date at the source is told as missing, with what was looked for', async t => {
  const feed = await feedUnderTest(t)
  feed.put('SHIP_20261119_01.csv', ROWS)
  const found = await feed.fetch()
  assert.equal(found.missing, true)
  assert.match(found.lookedFor, /^SHIP_20261120_\*\.csv in \/out on carrier/)
})

test('B11: an empty file is archived and quarantined', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, '')
  const found = await feed.fetch()
  assert.equal(found.quarantined[0]?.quarantine?.code, 'FETCH_FILE_EMPTY')
  assert.equal(found.missing, false)
})

test('a file that tells its date is filed under that date, one that tells none is quarantined', async t => {
  const rule = { content: '^DATE;(\\S+)', format: 'dd.MM.yyyy' }
  const feed = await feedUnderTest(t, { files: 'STMT_*.csv', dateFrom: rule })
  feed.put('STMT_1.csv', 'HEAD\nDATE;20.11.2026\n')
  feed.put('STMT_2.csv', Buffer.from('\uFEFFHEAD\nDATE;19.11.2026\n', 'utf16le'), 1)
  feed.put('STMT_3.csv', 'DATE;31.11.2026\n', 2)
  const found = await feed.fetch()
  assert.deepEqual(
    found.received.map(file => file.remoteName),
    ['STMT_1.csv'],
  )
  assert.deepEqual(
    found.otherDates.map(other => [other.remoteName, other.businessDate, other.file?.businessDate]),
    [['STMT_2.csv', '2026-11-19', '2026-11-19']],
  )
  assert.equal(found.quarantined[0]?.quarantine?.code, 'FETCH_DATE_NOT_FOUND')
  assert.equal(feed.rows.length, 3)
})

test('limits on size and number of files stop the fetch before anything is downloaded', async t => {
  const feed = await feedUnderTest(t, { limits: { maxBytes: 1000, maxFiles: 1 } })
  feed.put(NAME, ROWS)
  await assert.rejects(feed.fetch(), { code: 'FETCH_FILE_TOO_BIG', retry: 'never' })
  feed.put('SHIP_20261120_02.csv', 'small')
  await assert.rejects(feed.fetch(), { code: 'FETCH_TOO_MANY_FILES' })
  assert.deepEqual(feed.archived(), [])
})

test('20 MB come over whole, hashed and verified, with 64 requests under way', async t => {
  const feed = await feedUnderTest(t, {}, { stallMs: 20_000 })
  const big = randomBytes(20_000_000)
  feed.put(NAME, big)
  // A server that answers none of them before the last has come: with one at a time nothing would come.
  feed.peer.faults.holdUntilWaiting = 64
  assert.equal((await feed.fetch()).received[0]?.rawSha256, sha256(big))
  assert.equal(feed.peer.faults.holdUntilWaiting, undefined)
})
