/**
 * How rows become requests: the same rows always give the same chunks, bytes and keys.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { api } from '../../../../lib/load/api.ts'
import { type ApiRow, ApiSpool } from '../../../../lib/load/api-spool.ts'
import { callBody } from '../../../../lib/load/call-body.ts'
import type { MappedBlock } from '../../../../lib/model/mapping.ts'
import { column, defineTable, type Value } from '../../../../lib/model/table.ts'

const table = defineTable(
  'payroll',
  'hours',
  {
    id: column.text({ doc: 'Key.' }),
    note: column.text({ doc: 'Free text.', nullable: true }),
    count: column.integer({ doc: 'A number.' }),
  },
  { doc: 'A table of the tests.', key: ['id'], asOf: 'version' },
)

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spool-'))
})
after(() => rm(folder, { recursive: true }))

async function chunksOf(
  rows: readonly Value[][],
  limits: { maxItems?: number; maxBytes?: number } = {},
  units: readonly (string | null)[] = [],
): Promise<(readonly ApiRow[])[]> {
  const spool = new ApiSpool(
    join(folder, 'rows'),
    api({ endpoint: 'payroll', path: 'hours', table, ...limits }),
  )
  async function* blocks(): AsyncGenerator<MappedBlock> {
    for (const [at, row] of rows.entries()) {
      const mapped = { lines: [at + 2], ordinals: [at], units: [units[at] ?? null], rows: [[...row]] }
      yield {
        file: 0,
        tables: { rows: mapped },
        rejects: [],
        counts: { read: 1, mapped: 1, rejected: 0, filtered: 0 },
      }
    }
  }
  await spool.write(blocks(), async () => {})
  const chunks: (readonly ApiRow[])[] = []
  for await (const chunk of spool.chunks((_file, unit) => unit === 'excluded')) chunks.push(chunk)
  await spool.remove()
  assert.ok(!existsSync(join(folder, 'rows')))
  return chunks
}

const sizes = (chunks: readonly (readonly ApiRow[])[]): number[] => chunks.map(chunk => chunk.length)

test('a row goes out as JSON by field name in declared order, exactly, without what the engine fills', async () => {
  const nasty = 'a\tb\nc\r"d"\\\u2028\u2029\ud83d\ude00'
  const [chunk] = await chunksOf([[nasty, null, 7]])
  assert.equal(chunk![0]!.json, `{"id":${JSON.stringify(nasty)},"note":null,"count":7}`)
  assert.deepEqual([chunk![0]!.line, chunk![0]!.ordinal, chunk![0]!.seq], [2, 0, 0])
})

test('chunks keep to rows and bytes, and a row that is too large goes alone', async () => {
  const rows = Array.from({ length: 7 }, (_, n) => [`r${n}`, null, n])
  assert.deepEqual(sizes(await chunksOf(rows, { maxItems: 3 })), [3, 3, 1])
  const long = 'x'.repeat(600)
  const chunks = await chunksOf(
    [
      ['a', long, 1],
      ['b', long, 1],
      ['c', long + long + long, 1],
      ['d', null, 1],
    ],
    { maxBytes: 1_400 },
  )
  assert.deepEqual(sizes(chunks), [2, 1, 1])
  for (const chunk of [chunks[0]!, chunks[2]!]) {
    assert.ok(Buffer.byteLength(`[${chunk.map(row => row.json).join(',')}]`) <= 1_400)
  }
})

test('rows of excluded units leave no gap that would change the keys of the others', async () => {
  const chunks = await chunksOf(
    [
      ['a', null, 1],
      ['b', null, 2],
      ['c', null, 3],
    ],
    { maxItems: 2 },
    [null, 'excluded', 'kept'],
  )
  assert.deepEqual(
    chunks.map(chunk => chunk.map(({ seq }) => seq)),
    [[0, 2]],
  )
})

test('a second row with a key begins a new chunk', async () => {
  assert.deepEqual(
    sizes(
      await chunksOf([
        ['a', null, 1],
        ['b', null, 1],
        ['a', null, 2],
        ['b', null, 2],
      ]),
    ),
    [2, 2],
  )
})

test('an idempotency key stands for job, date, revision, rows, round and bytes', async () => {
  const [chunk] = await chunksOf([
    ['a', null, 1],
    ['b', null, 2],
  ])
  const holding = { runId: '1', attemptId: '1', fence: '1' }
  const site = (job = 'j', businessDate = '2026-11-20', number = 1, target = 't') => ({
    lease: { ...holding, key: { job, businessDate } },
    revision: { id: '9', number },
    target,
  })
  const base = callBody(site(), chunk!, 0)
  assert.deepEqual(
    callBody({ ...site(), lease: { ...site().lease, attemptId: '2', fence: '7' } }, chunk!, 0),
    base,
  )
  const others = [
    callBody(site('k'), chunk!, 0),
    callBody(site('j', '2026-11-21'), chunk!, 0),
    callBody(site('j', '2026-11-20', 2), chunk!, 0),
    callBody(site('j', '2026-11-20', 1, 'u'), chunk!, 0),
    callBody(site(), chunk!, 1),
    callBody(site(), chunk!.slice(0, 1), 0),
    callBody(
      site(),
      chunk!.map(row => ({ ...row, seq: row.seq + 1 })),
      0,
    ),
  ]
  assert.equal(new Set([base, ...others].map(({ key }) => key)).size, 8)
})

test('an API load that no row can pass, or of two tables, is refused at once', () => {
  const refused = (options: object): void =>
    assert.throws(() => api({ endpoint: 'e', path: 'p', table, ...options }), { code: 'CONFIG_LOAD_INVALID' })
  refused({ maxItems: 0 })
  refused({ maxBytes: 10 })
  refused({ rejects: { maxCount: -1 } })
  assert.throws(() => api({ endpoint: 'e', path: 'p', tables: { a: table, b: table } }), /2 tables/)
})
