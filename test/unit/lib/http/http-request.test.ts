/**
 * Every way in which a request can end, against a real server that misbehaves.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import {
  afterRetryAfterMs,
  backoffMs,
  parseRetryAfter,
  THROTTLED,
  TRANSIENT,
} from '../../../../lib/http/backoff.ts'
import { endpointUrl } from '../../../../lib/http/endpoint-url.ts'
import { type HttpAnswer, sendRequest } from '../../../../lib/http/http-request.ts'
import { Secret } from '../../../../lib/model/secret.ts'
import { type Clock, systemClock } from '../../../../lib/model/time/clock.ts'
import { selfSigned } from '../../../support/self-signed.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

let handle: Handler = (_request, response) => response.end()
const server = createServer((request, response) => handle(request, response))
let base: string

before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(() => {
  server.closeAllConnections()
  server.close()
})

/** Time stands still until a test lets it pass. */
const still: Clock = {
  ...systemClock,
  sleep: (_ms, signal) => new Promise((_, reject) => signal?.addEventListener('abort', reject)),
}
/** Every wait is over at once. */
const hasty: Clock = { ...systemClock, sleep: async () => {} }

function send(
  options: { base?: string; clock?: Clock; signal?: AbortSignal; maxAnswerBytes?: number } = {},
): Promise<HttpAnswer> {
  return sendRequest(
    {
      method: 'POST',
      url: endpointUrl('erp', options.base ?? base, 'hours'),
      headers: { 'content-type': 'application/json' },
      body: '[1]',
      token: new Secret('a-canary-token'),
      timeoutMs: 5_000,
      maxAnswerBytes: options.maxAnswerBytes ?? 1_000,
    },
    options.clock ?? still,
    options.signal ?? new AbortController().signal,
  )
}

test('an answer is given whole, whatever its status, with what Retry-After asks for', async () => {
  handle = (request, response) => {
    response
      .writeHead(429, { 'retry-after': '7' })
      .end(`${request.method} ${request.url} ${request.headers.authorization}`)
  }
  const answer = await send()
  assert.deepEqual(
    [answer.status, answer.body, answer.retryAfterMs],
    [429, 'POST /hours Bearer a-canary-token', 7_000],
  )
})

test('a peer that does not listen got nothing', async () => {
  const socket = createSocketServer().listen(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address() as AddressInfo
  socket.close()
  await once(socket, 'close')
  await assert.rejects(send({ base: `http://127.0.0.1:${port}` }), {
    code: 'LOAD_API_UNREACHABLE',
    retry: 'backoff',
  })
  await assert.rejects(send({ base: 'https://no-such-host.invalid' }), { code: 'LOAD_API_UNREACHABLE' })
})

test('a peer without a trusted certificate gets nothing', async () => {
  const seen: string[] = []
  const tls = createTlsServer(selfSigned(), request => seen.push(request.url ?? '')).listen(0, '127.0.0.1')
  await once(tls, 'listening')
  await assert.rejects(send({ base: `https://127.0.0.1:${(tls.address() as AddressInfo).port}` }), {
    code: 'LOAD_API_UNTRUSTED',
    retry: 'never',
  })
  assert.deepEqual(seen, [])
  tls.closeAllConnections()
  tls.close()
})

const unknown = { code: 'LOAD_OUTCOME_UNKNOWN', retry: 'verify-first' }

test('a peer that hangs up after the request leaves its outcome unknown', async () => {
  handle = (_request, response) => response.destroy()
  await assert.rejects(send(), unknown)
})

test('an answer cut in the middle leaves the outcome unknown', async () => {
  handle = (_request, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('half', () => response.destroy())
  }
  await assert.rejects(send(), unknown)
})

test('a peer that never answers leaves the outcome unknown when the time is up', async () => {
  handle = () => {}
  await assert.rejects(send({ clock: hasty }), error => {
    assert.match(String(error), /no answer within 5000 ms/)
    return (error as { code: string }).code === unknown.code
  })
})

test('an abort gives its own reason, before sending and while waiting', async () => {
  const stop = new AbortController()
  handle = () => stop.abort(new Error('the night is over'))
  await assert.rejects(send({ signal: stop.signal }), /the night is over/)
  await assert.rejects(send({ signal: stop.signal }), /the night is over/)
})

test('C9: a redirect is not followed', async () => {
  const seen: string[] = []
  handle = (request, response) => {
    seen.push(request.url ?? '')
    response.writeHead(307, { location: '/elsewhere' }).end()
  }
  await assert.rejects(send(), { code: 'LOAD_API_REDIRECTED', retry: 'never' })
  assert.deepEqual(seen, ['/hours'])
})

test('an endless answer is cut off, also when it is compressed', async () => {
  handle = (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(100_000)))
  }
  await assert.rejects(send(), { code: 'LOAD_ANSWER_TOO_LARGE', retry: 'verify-first' })
  assert.equal((await send({ maxAnswerBytes: 100_000 })).body.length, 100_000)
})

test('no error of a request holds its token', async () => {
  for (const misbehave of [
    (_: IncomingMessage, response: ServerResponse) => void response.destroy(),
    () => {},
  ] satisfies Handler[]) {
    handle = misbehave
    await assert.rejects(send({ clock: hasty }), error => {
      assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /canary/)
      return true
    })
  }
})

test('an address is https, or on this machine, and its path stays below it', () => {
  assert.equal(
    endpointUrl('erp', 'https://erp.example/api', '/v1/hours').href,
    'https://erp.example/api/v1/hours',
  )
  for (const local of ['http://localhost:8080/', 'http://127.0.0.1/', 'http://[::1]/'])
    endpointUrl('erp', local, 'x')
  const refused: [string, string, RegExp][] = [
    ['http://erp.example/', 'x', /not https/],
    ['http://127.0.0.1.evil.example/', 'x', /not https/],
    ['ftp://127.0.0.1/', 'x', /not https/],
    ['https://user:pass@erp.example/', 'x', /login/],
    ['https://erp.example/?a=b', 'x', /query/],
    ['erp.example', 'x', /no address/],
    ['https://erp.example/api', '../admin', /leaves it/],
    ['https://erp.example/api', 'https://evil.example/', /leaves it/],
  ]
  for (const [baseUrl, path, why] of refused) {
    assert.throws(
      () => endpointUrl('erp', baseUrl, path),
      error => (error as { code: string }).code === 'CONFIG_API_URL' && why.test(String(error)),
      baseUrl,
    )
  }
})

test('Retry-After is read as seconds or as a date, and as nothing else', () => {
  const now = Date.UTC(2026, 10, 20, 4, 0, 0)
  const read = (header: string | null) => parseRetryAfter(header, now)
  assert.deepEqual(
    [
      '0',
      '120',
      'Fri, 20 Nov 2026 04:01:00 GMT',
      'Fri, 20 Nov 2026 03:00:00 GMT',
      null,
      '',
      '-5',
      '1.5',
      'soon',
      '2026',
    ].map(read),
    [0, 120_000, 60_000, 0, null, null, null, null, null, 2_026_000],
  )
})

test('waits grow to their cap, and a peer is never asked before the time it gave', () => {
  assert.deepEqual(
    [1, 2, 3, 8, 99].map(attempt => backoffMs(attempt, TRANSIENT, 0.999_999)),
    [399, 799, 1_599, 19_999, 19_999],
  )
  assert.equal(backoffMs(5, THROTTLED, 0), 0)
  assert.deepEqual(
    [0, 0.999_999].map(draw => afterRetryAfterMs(1_000, draw)),
    [1_000, 1_100],
  )
})
