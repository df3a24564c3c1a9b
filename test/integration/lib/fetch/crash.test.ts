/**
 * Crashes and a full disk in the middle of a fetch: a real child process is killed at a failpoint,
 * then the next fetch goes on.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { armFailpoint, disarmFailpoint } from '../../../../lib/model/failpoint.ts'
import type { FetchChildOrder } from '../../../support/fetch-child.ts'
import { DATE, endpointOf, type FeedUnderTest, feedUnderTest } from '../../../support/fetch-feed.ts'

const CHILD = join(import.meta.dirname, '../../../support/fetch-child.ts')
const NAME = 'SHIP_20261120_01.csv'

/** Runs a fetch of the feed in a child that is killed at the failpoint; gives how it ended and its rows. */
async function killedAt(feed: FeedUnderTest, failpoint: string) {
  const order: FetchChildOrder = {
    ...{
      spec: feed.spec,
      endpoint: endpointOf(feed.peer),
      businessDate: DATE,
      archive: feed.archive,
      failpoint,
    },
  }
  return new Promise<{ signal: string | null; rows: string[] }>(resolve => {
    const child = execFile(process.execPath, [CHILD, JSON.stringify(order)], (_error, stdout) =>
      resolve({ signal: child.signalCode, rows: stdout.split('\n').filter(line => line !== '') }),
    )
  })
}

test('A4: a kill in the middle of a download leaves a part that the next fetch removes', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, randomBytes(3_000_000))
  const killed = await killedAt(feed, 'fetch.mid-download:2:kill')
  assert.deepEqual(killed, { signal: 'SIGKILL', rows: [] })
  assert.deepEqual(
    feed.archived().map(path => path.endsWith('.part')),
    [true],
  )
  const found = await feed.fetch()
  assert.deepEqual(feed.archived(), [found.received[0]?.archive])
})

test('A5: a kill between download and rename leaves no file under a final name', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, 'ref;kg\nA1;1\n')
  assert.equal((await killedAt(feed, 'fetch.before-rename:1:kill')).signal, 'SIGKILL')
  assert.deepEqual(
    feed.archived().map(path => path.endsWith('.part')),
    [true],
  )
  const found = await feed.fetch()
  assert.deepEqual(feed.archived(), [found.received[0]?.archive])
})

test('A6: a kill between rename and row is mended by fetching and hashing the file again', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, 'ref;kg\nA1;1\n')
  assert.deepEqual(await killedAt(feed, 'fetch.before-file-row:1:kill'), { signal: 'SIGKILL', rows: [] })
  const before = feed.archived()
  assert.equal(before.length, 1)
  const found = await feed.fetch()
  assert.deepEqual(feed.archived(), before)
  assert.deepEqual(feed.rows, found.received)
})

test('a kill after the row leaves nothing to do for a fetch that knows it', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, 'ref;kg\nA1;1\n')
  const killed = await killedAt(feed, 'fetch.after-file-row:1:kill')
  const first = await feed.fetch()
  assert.deepEqual(killed.rows, [first.received[0]?.rawSha256])
  assert.equal((await feed.fetch({ known: first.received })).received[0]?.known, true)
})

test('A19: a full disk removes the file that was begun and says so', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, randomBytes(3_000_000))
  for (const point of ['fetch.disk-write', 'fetch.disk-sync', 'fetch.before-rename']) {
    armFailpoint(`${point}:1:enospc`)
    t.after(disarmFailpoint)
    await assert.rejects(feed.fetch(), { code: 'FETCH_DISK_FULL', retry: 'never' }, point)
    assert.deepEqual(feed.archived(), [], point)
  }
  assert.equal((await feed.fetch()).received.length, 1)
})

test('a run that is stopped in the middle of a download ends with the reason and leaves nothing', async t => {
  const feed = await feedUnderTest(t)
  feed.put(NAME, randomBytes(3_000_000))
  const stop = new AbortController()
  const reason = new Error('SIGTERM')
  feed.peer.faults.duringDownload = () => stop.abort(reason)
  feed.peer.faults.bytesPerSecond = 1_000_000
  const source = await feed.openAgain(stop.signal)
  await assert.rejects(feed.fetch({ source }), reason)
  assert.deepEqual(feed.archived(), [])
})
