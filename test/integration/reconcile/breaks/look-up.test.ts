/**
 * Breaks of real comparisons on their way into the break ledger: all of them, however many, and what
 * became of each, looked up in the snapshots.
 */
import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { recordNight } from '../../../../lib/ledger/break-ledger.ts'
import type { FoldedNight } from '../../../../lib/ledger/break-ledger-fold.ts'
import { listBreaks } from '../../../../lib/ledger/break-ledger-list.ts'
import type { Value } from '../../../../lib/model/table.ts'
import { sightOf } from '../../../../reconcile/breaks/cause.ts'
import { foldRules } from '../../../../reconcile/breaks/fold.ts'
import { lookUp } from '../../../../reconcile/breaks/look-up.ts'
import { compareSides } from '../../../../reconcile/compare/compare-sides.ts'
import { insertedComparison } from '../../../support/break-nights.ts'
import {
  type Compared,
  planFor,
  quietContext,
  reconcileFolder,
  snapshotOf,
} from '../../../support/compared.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()
const folder = reconcileFolder()

type Table = Pick<Compared, 'kinds' | 'key' | 'rules'> & { readonly job: string }

/** Compares both sides and records the night as T6 does. */
async function night(
  date: string,
  table: Table,
  left: Iterable<readonly Value[]>,
  right: Iterable<readonly Value[]>,
): Promise<FoldedNight & { readonly inMemory: number; readonly statements: number }> {
  const source = await snapshotOf(folder, 'source', table, left)
  const target = await snapshotOf(folder, 'target', table, right)
  const plan = planFor(table)
  const workFolder = path.join(folder, 'work')
  const sightingsFile = path.join(folder, `${table.job}-${date}.sightings`)
  const comparison = await compareSides(
    source,
    target,
    plan,
    { run: null, workFolder, breaksFile: null, allowEmpty: true, sightingsFile },
    quietContext,
  )
  const sight = sightOf(comparison.left, comparison.right)
  let statements = 0
  const told = await database.use(connection => {
    const counted = new Proxy(connection, {
      get: (session, name) => {
        if (name === 'query' || name === 'copyIn' || name === 'copyOut') statements += 1
        const found = Reflect.get(session, name) as unknown
        return typeof found === 'function' ? (found.bind(session) as unknown) : found
      },
    })
    return connection.transaction(async () =>
      recordNight(
        counted,
        {
          reconciliation: `${table.job}.rows`,
          job: table.job,
          businessDate: date,
          comparisonId: await insertedComparison(connection, table.job, date, 1),
          sees: sight.sees,
          sightings: createReadStream(sightingsFile),
          lookUpAt: async () => asked =>
            lookUp({ left: source, right: target, plan, sight, workFolder }, asked),
          watched: new Set(comparison.breaks.map(({ identity }) => identity)),
        },
        foldRules,
      ),
    )
  })
  return { ...told, inMemory: comparison.breaks.length, statements }
}

/** State and cause by key. */
async function states(job: string): Promise<Record<string, string>> {
  const all = await database.use(connection => listBreaks(connection, { job }, 1000))
  return Object.fromEntries(
    all.map(({ key, kind, shown, course }) => [
      `${Object.values(key).join(' ')} ${kind}`,
      course.cause === null ? shown : `${shown} ${course.cause}`,
    ]),
  )
}

const amounts = (job: string): Table => ({
  job,
  kinds: { id: 'text', amount: 'decimal', note: 'text' },
  key: ['id'],
  rules: { id: { trim: true }, note: { foldCase: true } },
})

test('who moved is read from both snapshots, by the columns that differed alone', async () => {
  const table = amounts('moves')
  const first: readonly (readonly Value[])[] = [
    ['source', '10', 'x'],
    ['target', '10', 'x'],
    ['both', '10', 'x'],
    ['gone', '10', 'x'],
    ['arrives', '10', 'x'],
    ['stays', '10.50', 'x'],
    ['doubled', '10', 'x'],
    ['doubled', '10', 'x'],
  ]
  const second = first
    .filter(([id], index) => id !== 'arrives' && index < 7)
    .map(([id, , note]): Value[] => [id!, id === 'doubled' ? '10' : '12', note!])
  await night('2026-11-02', table, first, second)
  assert.deepEqual(await states('moves'), {
    'source value_mismatch': 'new',
    'target value_mismatch': 'new',
    'both value_mismatch': 'new',
    'gone value_mismatch': 'new',
    'arrives missing_in_target': 'new',
    'stays value_mismatch': 'new',
    'doubled duplicate': 'new',
  })
  // Notes change on both sides, keys get a space, and 10.50 is written 10.5: nobody moved by that.
  await night(
    '2026-11-03',
    table,
    [
      [' source', '12', 'new'],
      ['target', '10', 'new'],
      ['both', '11', 'new'],
      ['arrives', '10', 'X'],
      ['stays', '10.5', 'new'],
      ['doubled', '10', 'x'],
    ],
    [
      ['source', '12', 'NEW'],
      ['target', '10', 'new'],
      ['both', '11', 'new'],
      ['arrives', '10', 'x'],
      ['stays', '12', 'new'],
      ['doubled', '10', 'x'],
    ],
  )
  assert.deepEqual(await states('moves'), {
    'source value_mismatch': 'resolved source',
    'target value_mismatch': 'resolved target',
    'both value_mismatch': 'resolved both',
    'gone value_mismatch': 'resolved gone',
    'arrives missing_in_target': 'resolved target',
    'stays value_mismatch': 'persisting',
    'doubled duplicate': 'resolved source',
  })
})

test('rows without a key are looked up as a whole, null by null', async () => {
  const table: Table = { job: 'bag', kinds: { a: 'text', b: 'text' }, key: [] }
  await night(
    '2026-11-02',
    table,
    [
      ['x', null],
      ['y', null],
      ['x', 'z'],
    ],
    [['x', 'z']],
  )
  assert.deepEqual(await states('bag'), { 'x  missing_in_target': 'new', 'y  missing_in_target': 'new' })
  await night('2026-11-03', table, [['x', null]], [['x', null]])
  assert.deepEqual(await states('bag'), {
    'x  missing_in_target': 'resolved target',
    'y  missing_in_target': 'resolved gone',
  })
})

test('rows that could not be read are resolved by their side', async () => {
  const table = amounts('unread')
  await night(
    '2026-11-02',
    table,
    [['a', 'ten', 'x']],
    [
      ['a', '10', 'x'],
      [null, '1', 'y'],
    ],
  )
  await night('2026-11-03', table, [['a', '10', 'x']], [['a', '10', 'x']])
  assert.deepEqual(await states('unread'), {
    'a unreadable': 'resolved source',
    'a missing_in_source': 'resolved source',
    ' key_invalid': 'resolved target',
  })
})

test('a hundred thousand breaks are all kept, persist, change and are resolved in a handful of statements a night', async () => {
  const table = amounts('many')
  const rows = (amountOf: (index: number) => string | null): Value[][] =>
    Array.from({ length: 100_000 }, (_, index) => [`id${index}`, amountOf(index), `note ${index}`]).filter(
      ([, amount]) => amount !== null,
    ) as Value[][]
  const left = rows(index => `${index}.5`)
  const statements: number[] = []
  const counts: object[] = []
  for (const [day, amountOf] of [
    () => '0',
    (index: number) => (index % 2 === 0 ? '0' : '-1'),
    (index: number) => (index % 4 === 0 ? '0' : `${index}.5`),
  ].entries()) {
    const told = await night(`2026-11-0${day + 2}`, table, left, rows(amountOf))
    statements.push(told.statements)
    const { counts: all, inMemory, breaks } = told
    counts.push({
      ...Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0)),
      inMemory,
      watched: breaks.size,
    })
  }
  assert.deepEqual(counts, [
    { new: 100_000, inMemory: 10_000, watched: 10_000 },
    { persisting: 50_000, changed: 50_000, inMemory: 10_000, watched: 10_000 },
    { persisting: 25_000, resolved: 75_000, inMemory: 10_000, watched: 10_000 },
  ])
  const resolved = await database.use(c =>
    c.query<{ cause: string; count: string }>(
      `SELECT l.cause, count(*) FROM tallyman.lasting_break l JOIN tallyman.break_ledger b ON b.id = l.ledger
       WHERE b.job = 'many' AND l.state = 'resolved' GROUP BY l.cause`,
    ),
  )
  assert.deepEqual(resolved.rows, [{ cause: 'target', count: '75000' }])
  assert.ok(Math.max(...statements) < 60, `nights took ${statements.join(', ')} statements`)
})
