/**
 * The proxy of the wire tests itself: each fault happens at exactly the byte at which it was asked
 * for, because a test behind a proxy that never cuts proves nothing.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startWireProxy, type WireProxy } from '../support/wire-proxy.ts'

/** A server that sends back what it gets, in lower case, and remembers it. */
async function shouting(t: TestContext, where: 'tcp' | 'unix') {
  const seen: string[] = []
  const endings: string[] = []
  const server = createServer({ allowHalfOpen: true }, socket => {
    let all = ''
    socket.on('data', piece => {
      all += piece.toString('latin1')
      socket.write(piece.toString('latin1').toLowerCase())
    })
    socket.on('end', () => {
      endings.push('fin')
      socket.end()
    })
    socket.on('error', error => endings.push((error as NodeJS.ErrnoException).code ?? 'error'))
    socket.on('close', () => seen.push(all))
  })
  const folder = mkdtempSync(join(tmpdir(), 'tallyman-shout-'))
  const path = join(folder, '.s.PGSQL.5432')
  server.listen(where === 'tcp' ? 0 : path)
  await once(server, 'listening')
  const port = where === 'tcp' ? (server.address() as AddressInfo).port : 0
  const proxy = await startWireProxy(where === 'tcp' ? { host: '127.0.0.1', port } : { path })
  t.after(async () => {
    await proxy.close()
    server.close()
    rmSync(folder, { recursive: true })
  })
  return { proxy, seen, endings }
}

/** Sends a text through the proxy; gives what came back and how it ended. */
async function say(
  proxy: WireProxy,
  text: string,
  options: { readonly stay?: boolean } = {},
): Promise<{ heard: string; ending: string; pieces: number[]; socket: Socket }> {
  const socket =
    proxy.folder === '' ? connect(proxy.port, proxy.host) : connect(join(proxy.folder, '.s.PGSQL.5432'))
  const pieces: string[] = []
  socket.on('data', piece => pieces.push(piece.toString('latin1')))
  const ended = new Promise<string>(resolve => {
    socket.once('end', () => resolve('fin'))
    socket.once('error', error => resolve((error as NodeJS.ErrnoException).code ?? 'error'))
    socket.once('close', () => resolve('close'))
    if (options.stay === true) socket.once('data', () => resolve('data'))
  })
  if (options.stay === true) socket.write(text)
  else socket.end(text)
  const ending = await ended
  return { heard: pieces.join(''), ending, pieces: pieces.map(piece => piece.length), socket }
}

test('a proxy without a fault passes both directions, both ends, and counts them', async t => {
  for (const where of ['tcp', 'unix'] as const) {
    const { proxy, seen } = await shouting(t, where)
    const { heard, ending } = await say(proxy, 'HELLO')
    assert.deepEqual([heard, ending], ['hello', 'fin'])
    assert.deepEqual(seen, ['HELLO'])
    assert.deepEqual(proxy.counts, { connections: 1, open: 0, fired: 0, 'to-server': 5, 'to-client': 5 })
  }
})

test('a cut lets exactly the bytes before it through, in either direction and by end or reset', async t => {
  for (const how of ['fin', 'rst'] as const) {
    const { proxy, seen, endings } = await shouting(t, 'tcp')
    proxy.fault = { kind: 'cut', direction: 'to-client', after: 3, how }
    const down = await say(proxy, 'HELLO', { stay: how === 'rst' })
    assert.equal(down.heard, 'hel')
    if (how === 'fin') assert.equal(down.ending, 'fin')
    else assert.equal(((await once(down.socket, 'error')) as NodeJS.ErrnoException[])[0]?.code, 'ECONNRESET')
    proxy.fault = { kind: 'cut', direction: 'to-server', after: 2, how }
    await say(proxy, 'WORLD')
    while (seen.length < 2) await new Promise(setImmediate)
    assert.equal(seen[1], 'WO')
    assert.equal(endings.at(-1), how === 'fin' ? 'fin' : 'ECONNRESET')
    assert.equal(proxy.counts.fired, 2)
    assert.equal((await say(proxy, 'AGAIN')).heard, 'again', 'a cut happens once')
  }
})

test('a cut counts from the moment at which it was set', async t => {
  const { proxy } = await shouting(t, 'tcp')
  const { socket } = await say(proxy, 'HELLO', { stay: true })
  proxy.fault = { kind: 'cut', direction: 'to-client', after: 1, how: 'fin' }
  socket.write('WORLD')
  let more = ''
  for await (const piece of socket) more += (piece as Buffer).toString('latin1')
  assert.equal(more, 'w')
})

test('a swallowing wire stays open and silent, also after it was mended for others', async t => {
  const { proxy, seen } = await shouting(t, 'tcp')
  const { socket } = await say(proxy, 'HELLO', { stay: true })
  proxy.fault = { kind: 'swallow', direction: 'to-server', after: 1 }
  socket.write('WORLD')
  await proxy.nextFired()
  proxy.fault = null
  assert.equal((await say(proxy, 'OTHERS')).heard, 'others')
  assert.equal(proxy.counts.open, 1)
  assert.equal(socket.destroyed, false)
  await proxy.close()
  while (seen.length < 2) await new Promise(setImmediate)
  assert.equal(seen[1], 'HELLOW')
})

test('a flip changes one bit of one byte, once', async t => {
  const { proxy } = await shouting(t, 'tcp')
  proxy.fault = { kind: 'flip', direction: 'to-client', at: 1 }
  assert.equal((await say(proxy, 'HELLO')).heard, 'hdllo')
  assert.equal((await say(proxy, 'HELLO')).heard, 'hello')
})

test('pieces and delays change when bytes come and not which', async t => {
  const { proxy } = await shouting(t, 'tcp')
  proxy.fault = { kind: 'pieces', bytes: 1, after: 0 }
  const slow = await say(proxy, 'HELLO')
  assert.deepEqual([slow.heard, slow.pieces], ['hello', [1, 1, 1, 1, 1]])
  let release = () => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  let asked = 0
  proxy.fault = {
    kind: 'delay',
    direction: 'to-server',
    until: () => {
      asked += 1
      return held
    },
  }
  const before = proxy.counts['to-server']
  const late = say(proxy, 'HELLO')
  while (asked === 0) await new Promise(setImmediate)
  assert.equal(proxy.counts['to-server'], before)
  release()
  assert.equal((await late).heard, 'hello')
})

test('an answer is lost after the request arrived, and only that of the request that was named', async t => {
  for (const when of ['sent', 'answered'] as const) {
    const { proxy, seen } = await shouting(t, 'tcp')
    proxy.fault = { kind: 'lose-answer', to: ['BEGIN', 'COMMIT'], when }
    assert.equal((await say(proxy, 'COMMIT')).heard, 'commit', 'COMMIT alone is not the request')
    const first = await say(proxy, 'BEGIN; COM', { stay: true })
    assert.equal(first.heard, 'begin; com')
    const sent = proxy.nextSent('MIT')
    first.socket.write('MIT')
    let more = ''
    for await (const piece of first.socket) more += (piece as Buffer).toString('latin1')
    await sent
    while (seen.length < 2) await new Promise(setImmediate)
    assert.deepEqual([more, seen[1]], ['', 'BEGIN; COMMIT'])
    assert.equal((await say(proxy, 'BEGIN; COMMIT')).heard, 'begin; commit')
  }
})

test('a request may be lost itself, and an answer in its middle', async t => {
  const { proxy, seen } = await shouting(t, 'tcp')
  proxy.fault = { kind: 'lose-answer', to: ['COMMIT'], reaches: false }
  assert.equal((await say(proxy, 'COMMIT')).heard, '')
  while (seen.length < 1) await new Promise(setImmediate)
  assert.deepEqual(seen, [''])
  proxy.fault = { kind: 'lose-answer', to: ['COMMIT'], pass: 4 }
  assert.equal((await say(proxy, 'COMMIT')).heard, 'comm')
})
