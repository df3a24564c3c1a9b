/**
 * T3: what happens to the remote file after its load, and what must never happen to another one.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { finishRemote } from '../../../../lib/fetch/finish-remote.ts'
import type { AfterLoad } from '../../../../lib/model/job.ts'
import { DATE, feedUnderTest } from '../../../support/fetch-feed.ts'

const NAME = 'SHIP_20261120_01.csv'
const noFence = async () => {}

/** A feed with one fetched file. */
async function loaded(t: Parameters<typeof feedUnderTest>[0], after: AfterLoad) {
  const feed = await feedUnderTest(t, { after })
  const path = feed.put(NAME, 'ref;kg\nA1;1\n')
  const folder = dirname(path)
  mkdirSync(join(folder, 'done'))
  const [file] = (await feed.fetch()).received
  const finish = (fence = noFence) => finishRemote(feed.spec, file!, feed.source, fence, feed.context)
  const names = () => readdirSync(folder).filter(name => name !== 'done')
  return { ...feed, path, folder, file: file!, finish, names, done: () => readdirSync(join(folder, 'done')) }
}

test('T3: a loaded file is left, deleted or moved as the job says', async t => {
  const left = await loaded(t, 'leave')
  assert.equal((await left.finish()).outcome, 'left')
  assert.deepEqual(left.names(), [NAME])
  const deleted = await loaded(t, 'delete')
  assert.equal((await deleted.finish()).outcome, 'deleted')
  assert.deepEqual(deleted.names(), [])
  const moved = await loaded(t, { move: '/out/done' })
  assert.equal((await moved.finish()).outcome, 'moved')
  assert.deepEqual(moved.names(), [])
  assert.deepEqual(moved.done(), [`${NAME}.${moved.file.rawSha256.slice(0, 16)}.tallyman`])
})

test('T3: done twice is as done once', async t => {
  const moved = await loaded(t, { move: '/out/done' })
  await moved.finish()
  assert.equal((await moved.finish()).outcome, 'moved')
  const deleted = await loaded(t, 'delete')
  await deleted.finish()
  assert.equal((await deleted.finish()).outcome, 'already-gone')
})

test('T3: a new delivery under the same name is left where it is', async t => {
  const feed = await loaded(t, 'delete')
  feed.put(NAME, 'ref;kg\nA1;2\n', 60)
  const finished = await feed.finish()
  assert.equal(finished.outcome, 'new-delivery')
  assert.equal(readFileSync(feed.path, 'utf8'), 'ref;kg\nA1;2\n')
})

test('T3: a new delivery of the same size or the same time is left where it is, too', async t => {
  for (const [content, secondsLater] of [
    ['ref;kg\nA1;2\n', 60],
    ['ref;kg\nA1;1\nA2;2\n', 0],
  ] as const) {
    const feed = await loaded(t, 'delete')
    feed.put(NAME, content, secondsLater)
    assert.equal((await feed.finish()).outcome, 'new-delivery')
    assert.equal(readFileSync(feed.path, 'utf8'), content)
  }
})

test('T3: a fence that is lost after the rename stops the delete', async t => {
  const feed = await loaded(t, 'delete')
  const lost = new Error('fence lost')
  let asked = 0
  const fence = async () => {
    asked += 1
    if (asked === 2) throw lost
  }
  await assert.rejects(feed.finish(fence), lost)
  assert.equal(feed.names().length, 1)
  assert.equal((await feed.finish()).outcome, 'deleted')
})

test('T3: a new delivery that slips in between look and rename is put back and fetched', async t => {
  const feed = await loaded(t, 'delete')
  feed.peer.faults.beforeRename = path => {
    delete feed.peer.faults.beforeRename
    writeFileSync(path, 'slipped in')
  }
  assert.equal((await feed.finish()).outcome, 'new-delivery')
  assert.deepEqual(feed.names(), [NAME])
  const found = await feed.fetch({ known: [feed.file] })
  assert.equal(readFileSync(found.received[0]?.contentPath ?? '', 'utf8'), 'slipped in')
})

test('T3: when its name is taken again the slipped-in delivery is kept aside and reported', async t => {
  const feed = await loaded(t, 'delete')
  let renames = 0
  feed.peer.faults.beforeRename = path => {
    renames += 1
    if (renames === 1) writeFileSync(path, 'slipped in')
  }
  feed.peer.faults.afterRename = path => {
    if (renames === 1) writeFileSync(path, 'and another')
  }
  const finished = await feed.finish()
  assert.deepEqual([finished.outcome, finished.code], ['new-delivery', 'FETCH_REMOTE_KEPT'])
  assert.deepEqual(
    feed
      .names()
      .map(name => readFileSync(join(feed.folder, name), 'utf8'))
      .sort(),
    ['and another', 'slipped in'],
  )
})

test('T3: a crash between rename and delete is finished by the next call and never fetched again', async t => {
  const feed = await loaded(t, 'delete')
  feed.peer.faults.refuseRemove = true
  const stuck = await feed.finish()
  assert.deepEqual([stuck.outcome, stuck.code], ['failed', 'FETCH_PERMISSION_DENIED'])
  assert.match(stuck.message, /The load stands/)
  const found = await feed.fetch()
  assert.deepEqual(found.received, [])
  delete feed.peer.faults.refuseRemove
  feed.put(NAME, 'a new delivery meanwhile', 60)
  assert.equal((await feed.finish()).outcome, 'deleted')
  assert.deepEqual(feed.names(), [NAME])
})

test('T3: a refused rename is a result and no exception, and nothing is deleted', async t => {
  const feed = await loaded(t, { move: '/out/done' })
  feed.peer.faults.refuseRename = true
  assert.equal((await feed.finish()).outcome, 'failed')
  assert.ok(existsSync(feed.path))
})

test('T3: a folder to move to that does not exist is named', async t => {
  const feed = await loaded(t, { move: '/out/nowhere' })
  const finished = await feed.finish()
  assert.deepEqual([finished.outcome, finished.code], ['failed', 'FETCH_FOLDER_MISSING'])
  assert.match(finished.message, /nowhere/)
  assert.deepEqual(feed.names(), [NAME])
})

test('T3: a lost fence stops before anything is renamed', async t => {
  const feed = await loaded(t, 'delete')
  const lost = new Error('fence lost')
  await assert.rejects(
    feed.finish(async () => {
      throw lost
    }),
    lost,
  )
  assert.ok(existsSync(feed.path))
  assert.equal(DATE, feed.file.businessDate)
})

test('T3: the same file delivered again is moved beside its earlier copy', async t => {
  const feed = await loaded(t, { move: '/out/done' })
  await feed.finish()
  feed.put(NAME, 'ref;kg\nA1;1\n')
  assert.equal((await feed.finish()).outcome, 'moved')
  assert.equal(feed.done().length, 2)
  assert.deepEqual(feed.names(), [])
})
