/** Pages of an API that answers badly: what is asked again, what is refused, what never ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpPages, HttpSide } from '../../../../lib/model/job.ts'
import { Secret } from '../../../../lib/model/secret.ts'
import { systemClock } from '../../../../lib/model/time/clock.ts'
import { pagesOf } from '../../../../reconcile/sides/http-pages.ts'
import { readJsonPage } from '../../../../reconcile/sides/page-records.ts'
import { type PageAnswer, startPagePeer } from '../../../support/page-peer.ts'

let answers: PageAnswer[] = []
let byUrl: (url: URL) => PageAnswer = () => ({ body: '[]' })
const peer = await startPagePeer(url => answers.shift() ?? byUrl(url))
let tokens = 0

/** Reads a list of numbers; gives what came and what was asked for. */
async function pages(paging: HttpPages, limits: Partial<HttpSide['limits']> = {}) {
  peer.asked.length = 0
  peer.tokens.length = 0
  const side = {
    ...{
      kind: 'http',
      endpoint: 'books',
      path: 'list',
      read: { format: 'json', records: '' },
      pages: paging,
    },
    ...{ scope: 'all', limits: { maxPageBytes: 1_000, maxPages: 20, timeoutMs: 60_000, ...limits } },
  } as unknown as HttpSide
  const source = {
    ...{ side, businessDate: '2026-11-20', signal: new AbortController().signal },
    endpoint: { baseUrl: peer.baseUrl, token: { literal: 'x' } },
    secrets: async () => {
      tokens += 1
      return new Secret(`canary-token-${tokens}`)
    },
    clock: {
      ...systemClock,
      sleep: async (ms: number, signal?: AbortSignal) => systemClock.sleep(ms >= 30_000 ? ms : 1, signal),
    },
  }
  const values: unknown[] = []
  const reading = pagesOf(source, async function* (body) {
    const page = readJsonPage(body, { name: 'books', records: '', next: null, columns: ['n'], before: 0 })
    yield* page.list.map(record => record.values[0])
    return page
  })
  for await (const value of reading) values.push(value)
  return { values, asked: peer.asked.map(path => path.slice(1)) }
}

test('a page is asked for again after a failure that passes, and nothing of it comes twice', async () => {
  answers = [
    { status: 503, body: '' },
    { body: '[{"n":1},{"n":2.50}]', drop: true },
    { status: 429, headers: { 'retry-after': '0' }, body: '' },
  ]
  byUrl = () => ({ body: '[{"n":1},{"n":2.50}]' })
  assert.deepEqual(await pages({ kind: 'one' }), {
    values: ['1', '2.50'],
    asked: ['list', 'list', 'list', 'list'],
  })
})

test('pages by number and by offset end with the first empty one', async () => {
  byUrl = url => ({ body: ['1', '2', '0'].includes(url.searchParams.get('p')!) ? '[{"n":1}]' : '[]' })
  assert.deepEqual((await pages({ kind: 'number', parameter: 'p', first: 1 })).asked, [
    'list?p=1',
    'list?p=2',
    'list?p=3',
  ])
  assert.deepEqual((await pages({ kind: 'offset', parameter: 'p' })).values.length, 3)
})

test('a token that is refused is read once more, a refusal that stays is told', async () => {
  answers = [{ status: 401, body: '' }]
  byUrl = () => ({ body: '[]' })
  await pages({ kind: 'one' })
  assert.equal(new Set(peer.tokens).size, 2)
  byUrl = () => ({ status: 403, body: 'no' })
  await assert.rejects(pages({ kind: 'one' }), { code: 'RECONCILE_SIDE_REFUSED', retry: 'never' })
  byUrl = () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' })
  await assert.rejects(pages({ kind: 'one' }), {
    code: 'RECONCILE_SIDE_REFUSED',
    message: /redirects are never followed/,
  })
})

test('a server that stays away, pages that never end and pages too large are told as such', async () => {
  byUrl = () => ({ status: 500, body: '' })
  await assert.rejects(pages({ kind: 'one' }), { code: 'RECONCILE_SIDE_UNREACHABLE', retry: 'backoff' })
  byUrl = () => ({ body: '[{"n":1}]' })
  await assert.rejects(pages({ kind: 'number', parameter: 'p', first: 1 }), { code: 'PARSE_PAGES_ENDLESS' })
  byUrl = () => ({ body: `["${'x'.repeat(2_000)}"]` })
  await assert.rejects(pages({ kind: 'one' }), {
    code: 'PARSE_PAGE_UNREADABLE',
    message: /more than 1000 bytes/,
  })
  byUrl = () => ({ body: '{"error":"no"}' })
  await assert.rejects(pages({ kind: 'one' }), { code: 'PARSE_PAGE_UNREADABLE', message: /it is no list/ })
})
