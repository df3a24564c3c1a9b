/**
 * What the SFTP package alone would lose: kinds of entries, the server's status, an end of endless
 * listings, progress within long ones, and a quiet console.
 */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../../../lib/model/progress.ts'
import { Secret } from '../../../../lib/model/secret.ts'
import { type Clock, systemClock } from '../../../../lib/model/time/clock.ts'
import { sftpConnection } from '../../../../lib/sftp/sftp-connection.ts'
import { connectError, requestError } from '../../../../lib/sftp/sftp-errors.ts'
import { endpointOf } from '../../../support/fetch-feed.ts'
import { startSftpPeer } from '../../../support/sftp-peer.ts'

const STALL_MS = 1_000

/** A server with a file, a folder and a link in its root, and a connection to it or to another port. */
async function served(
  t: TestContext,
  {
    clock = systemClock,
    signal = new AbortController().signal,
    port,
  }: { readonly clock?: Clock; readonly signal?: AbortSignal; readonly port?: number } = {},
) {
  const root = mkdtempSync(join(tmpdir(), 'tallyman-session-'))
  writeFileSync(join(root, 'file'), 'some bytes')
  mkdirSync(join(root, 'folder'))
  symlinkSync('/etc/passwd', join(root, 'link'))
  const peer = await startSftpPeer({ root, users: [{ name: 'tallyman', password: 'canary-correct-horse' }] })
  const source = sftpConnection({
    ...{ name: 'carrier', stallMs: STALL_MS },
    endpoint: { ...endpointOf(peer), port: port ?? peer.port },
    readSecret: async () => new Secret('canary-correct-horse'),
    context: { clock, log: silentLog, signal },
  })
  t.after(async () => {
    await source.close()
    await peer.close()
    rmSync(root, { recursive: true, force: true })
  })
  return { peer, source, root }
}

/** A clock that stands still until it is moved. */
function stillClock() {
  let now = 0
  const sleepers: { readonly until: number; readonly wake: () => void }[] = []
  const clock: Clock = {
    now: () => now,
    monotonicMs: () => now,
    sleep: (ms, signal) =>
      new Promise((wake, reject) => {
        sleepers.push({ until: now + ms, wake })
        signal?.addEventListener('abort', () => reject(signal.reason))
      }),
  }
  const move = (ms: number) => {
    now += ms
    for (const { until, wake } of sleepers) if (until <= now) wake()
  }
  return { clock, move }
}

test('the kind of an entry is told by its mode, and by its long name where the server tells no mode', async t => {
  const { peer, source } = await served(t)
  const kinds = async () =>
    (await source.list('/')).entries.map(entry => `${entry.name} ${entry.kind}`).sort()
  const right = ['file file', 'folder folder', 'link link']
  peer.faults.oddLongNames = true
  assert.deepEqual(await kinds(), right)
  delete peer.faults.oddLongNames
  peer.faults.bareListing = true
  assert.deepEqual(await kinds(), right)
  const { entries } = await source.list('/')
  assert.ok(entries.every(entry => entry.size === null && entry.mtimeMs === null))
})

test('a link is told as a link, whatever it leads to', async t => {
  const { source } = await served(t)
  assert.equal((await source.stat('/', 'link'))?.kind, 'link')
})

test('a listing without end is given up', async t => {
  const { peer, source } = await served(t)
  peer.faults.endlessListing = true
  await assert.rejects(source.list('/'), { code: 'FETCH_TOO_MANY_ENTRIES', retry: 'never' })
  delete peer.faults.endlessListing
  assert.equal((await source.list('/')).entries.length, 3)
})

test('a listing may take longer than the allowed silence while its parts keep coming', async t => {
  const { clock, move } = stillClock()
  const { peer, source } = await served(t, { clock })
  peer.faults.extraNames = Array.from({ length: 1_000 }, (_, index) => `other_${index}`)
  peer.faults.beforeListingPart = () => move(STALL_MS * 0.6)
  assert.equal((await source.list('/')).entries.length, 1_003)
  peer.faults.beforeListingPart = () => move(STALL_MS)
  await assert.rejects(source.list('/'), { code: 'FETCH_STALLED' })
})

test('a file may take longer than the allowed silence while its bytes keep coming', async t => {
  const { clock, move } = stillClock()
  const { peer, source, root } = await served(t, { clock })
  writeFileSync(join(root, 'long'), Buffer.alloc(10_000_000))
  // Some 310 answers, of which the server can be 64 ahead of us.
  peer.faults.beforeReadAnswer = () => move(STALL_MS / 100)
  let bytes = 0
  for await (const piece of source.read('/', 'long')) bytes += piece.length
  assert.equal(bytes, 10_000_000)
})

test('a file that was read, whole or in part, is closed at the server', async t => {
  const { peer, source, root } = await served(t)
  writeFileSync(join(root, 'long'), Buffer.alloc(200_000))
  for await (const _piece of source.read('/', 'long')) break
  for await (const _piece of source.read('/', 'file'));
  await source.list('/')
  const about = peer.seen.filter(what => what.startsWith('OPEN ') || what.startsWith('CLOSE '))
  assert.deepEqual(about, ['OPEN /long', 'CLOSE /long', 'OPEN /file', 'CLOSE /file'])
})

test('a silent server loses its connection and does not hold up the goodbye', {
  timeout: 20_000,
}, async t => {
  const { peer, source } = await served(t)
  peer.faults.stallListing = true
  await assert.rejects(source.list('/'), { code: 'FETCH_STALLED' })
  await peer.deserted()
  await source.stat('/', 'file')
  await source.close()
  await peer.deserted()
})

test('a stopped run connects no more, and stops connecting to a server that says nothing', async t => {
  const reason = new Error('SIGTERM')
  const { peer, source } = await served(t, { signal: AbortSignal.abort(reason) })
  await assert.rejects(source.list('/'), reason)
  assert.deepEqual(peer.seen, [])
  const stop = new AbortController()
  const silent = createServer(() => stop.abort(reason))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  t.after(() => silent.close())
  const { port } = silent.address() as { port: number }
  const waiting = await served(t, { signal: stop.signal, port })
  await assert.rejects(waiting.source.list('/'), reason)
})

test('a request never waits for the acknowledgement of the one before', async t => {
  const connect = t.mock.method(Socket.prototype, 'connect').mock
  const { source } = await served(t)
  await source.list('/')
  assert.match(JSON.stringify(connect.calls.map(call => call.arguments)), /"noDelay":true/)
})

test('a server that fails to answer about a file never makes it look gone', async t => {
  const { peer, source } = await served(t)
  peer.faults.failStat = true
  await assert.rejects(source.stat('/', 'file'), { code: 'FETCH_SERVER_FAILED', retry: 'backoff' })
  await assert.rejects(source.stat('/', 'none'), { code: 'FETCH_SERVER_FAILED' })
  delete peer.faults.failStat
  assert.equal(await source.stat('/', 'none'), null)
})

test('each status of a refused request has its own code', async t => {
  const { peer, source } = await served(t)
  const at = (name: string) => ({ folder: '/', name })
  await assert.rejects(source.list('/nowhere'), { code: 'FETCH_FOLDER_MISSING' })
  await assert.rejects(source.remove(at('none')), { code: 'FETCH_FILE_GONE' })
  await assert.rejects(source.rename(at('none'), at('other')), { code: 'FETCH_FILE_GONE' })
  await assert.rejects(source.rename(at('file'), at('folder')), { code: 'FETCH_SERVER_FAILED' })
  peer.faults.refuseRename = true
  peer.faults.refuseRemove = true
  await assert.rejects(source.rename(at('file'), at('other')), { code: 'FETCH_PERMISSION_DENIED' })
  await assert.rejects(source.remove(at('file')), { code: 'FETCH_PERMISSION_DENIED' })
})

test('nothing that happens to a connection is written to the console', async t => {
  const written = (['log', 'info', 'warn', 'error', 'debug'] as const).map(
    method => t.mock.method(console, method, () => {}).mock,
  )
  const { peer, source } = await served(t)
  const read = async () => {
    for await (const piece of source.read('/', 'file')) assert.ok(piece.length > 0)
  }
  for (const fault of ['cutAfter', 'hangUpAfter'] as const) {
    peer.faults[fault] = 1
    await assert.rejects(read(), { code: 'FETCH_CONNECTION_LOST' })
    delete peer.faults[fault]
    await read()
  }
  await source.close()
  await source.list('/')
  await peer.close()
  await assert.rejects(source.list('/'))
  await assert.rejects(source.list('/'), { code: 'FETCH_UNREACHABLE' })
  assert.deepEqual(
    written.map(mock => mock.callCount()),
    [0, 0, 0, 0, 0],
  )
})

test('the words of a server and remote names are escaped in messages, and none is left empty', () => {
  const failure = Object.assign(new Error('rename: Quota\u202e From: /a\nb'), { code: 4 })
  const { message, details } = requestError(failure, { source: 'carrier', path: '/a\nb' }, 'file')
  assert.match(message, /Quota\\u202e From: \/a\\nb/)
  const { reason } = details
  assert.doesNotMatch(message + String(reason), /[\n\u202e]/)
  const refused = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED', level: 'client-socket' })
  assert.match(connectError(refused, 'carrier', 'me').message, /can't be reached: ECONNREFUSED\./)
})
