/**
 * A local or mounted folder as a source: the same promises, without a network.
 */
import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fetchFiles } from '../../../../lib/fetch/fetch-files.ts'
import { finishRemote } from '../../../../lib/fetch/finish-remote.ts'
import { openSource } from '../../../../lib/fetch/open-source.ts'
import { folder } from '../../../../lib/fetch/sources.ts'
import type { AfterLoad } from '../../../../lib/model/job.ts'
import { silentLog } from '../../../../lib/model/progress.ts'
import { DATE, leapingClock, WRITTEN_MS } from '../../../support/fetch-feed.ts'

async function localFeed(t: TestContext, after: AfterLoad = 'leave') {
  const root = mkdtempSync(join(tmpdir(), 'tallyman-folder-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const spec = folder({ feed: 'rates', folder: 'in', files: 'rates-{yyyy-MM-dd}.xml', after })
  const pauses: number[] = []
  const context = {
    clock: leapingClock(ms => pauses.push(ms)),
    log: silentLog,
    signal: new AbortController().signal,
    progress: () => {},
  }
  const secrets = () => Promise.reject(new Error('a folder needs no secret'))
  const source = await openSource(spec, { name: 'test', dataFolder: root, sftp: {} }, secrets, context)
  const fetch = () =>
    fetchFiles({
      ...{ spec, businessDate: DATE, source, known: [], context },
      archive: { path: join(root, 'archive') },
      onReceived: async () => {},
    })
  return { root, inbox: join(root, 'in'), spec, source, context, pauses, fetch }
}

test('a file in a local folder is settled, verified and archived like a remote one', async t => {
  const feed = await localFeed(t, 'delete')
  mkdirSync(feed.inbox)
  const path = join(feed.inbox, `rates-${DATE}.xml`)
  writeFileSync(path, '<rates/>')
  utimesSync(path, WRITTEN_MS / 1000, WRITTEN_MS / 1000)
  symlinkSync('/etc/passwd', join(feed.inbox, 'rates-2026-11-19.xml'))
  const found = await feed.fetch()
  assert.equal(readFileSync(found.received[0]?.contentPath ?? '', 'utf8'), '<rates/>')
  assert.deepEqual(
    found.skipped.map(entry => entry.code),
    ['FETCH_NOT_A_FILE'],
  )
  assert.deepEqual(feed.pauses, [10_000])
  const finished = await finishRemote(
    feed.spec,
    found.received[0]!,
    feed.source,
    async () => {},
    feed.context,
  )
  assert.equal(finished.outcome, 'deleted')
  assert.deepEqual(readdirSync(feed.inbox), ['rates-2026-11-19.xml'])
})

test('a local folder that does not exist is told and not tried again', async t => {
  const feed = await localFeed(t)
  await assert.rejects(feed.fetch(), { code: 'FETCH_FOLDER_MISSING', retry: 'never' })
})

test('a link in a local folder is not followed even where its name is known', async t => {
  const feed = await localFeed(t)
  mkdirSync(feed.inbox)
  symlinkSync('/etc/passwd', join(feed.inbox, 'link'))
  assert.equal((await feed.source.stat('in', 'link'))?.kind, 'link')
  const read = async () => {
    for await (const piece of feed.source.read('in', 'link')) assert.fail(`read ${piece.length} bytes`)
  }
  await assert.rejects(read(), { code: 'FETCH_SERVER_FAILED' })
})

test('a rename in a local folder never replaces a file', async t => {
  const feed = await localFeed(t)
  mkdirSync(feed.inbox)
  for (const name of ['from', 'to']) writeFileSync(join(feed.inbox, name), name)
  const at = (name: string) => ({ folder: 'in', name })
  await assert.rejects(feed.source.rename(at('from'), at('to')), { code: 'FETCH_SERVER_FAILED' })
  assert.equal(readFileSync(join(feed.inbox, 'to'), 'utf8'), 'to')
})
