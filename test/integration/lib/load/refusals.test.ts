/**
 * What stops a load: nothing is published then, counts and rejects are kept as unpublished, and the
 * error says what and where.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { loadOf } from '../../../../lib/ledger/load.ts'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { listRejects } from '../../../../lib/ledger/reject.ts'
import { createTarget } from '../../../../lib/load/create-target.ts'
import type { PostgresLoadInput, PostgresLoadOutcome } from '../../../../lib/load/load-input.ts'
import { loadIntoPostgres } from '../../../../lib/load/load-into-postgres.ts'
import { postgres } from '../../../../lib/load/postgres.ts'
import type { TallymanError } from '../../../../lib/model/errors.ts'
import type { PostgresLoad } from '../../../../lib/model/job.ts'
import { column, defineTable } from '../../../../lib/model/table.ts'
import { loadSample, plain, quietContext, type SampleOptions } from '../../../support/load-sample.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

const columns = {
  day: column.date({ doc: 'Business date.' }),
  ref: column.text({ doc: 'Reference.', max: 20 }),
  amount: column.decimal({ doc: 'Amount.', precision: 12, scale: 2, nullable: true }),
}

async function target(
  name: string,
  mode: PostgresLoad['mode'],
  more: {
    scope?: string
    maxDeletePercent?: number
    rejects?: Partial<PostgresLoad['rejects']>
    key?: 'none'
  } = {},
): Promise<PostgresLoad> {
  const { key, ...rest } = more
  const table = defineTable('erp', name, columns, {
    doc: 'A table of the tests.',
    key: key === 'none' ? [] : ['day', 'ref'],
    totals: { amount: { sum: ['amount'] } },
  })
  const spec = postgres({ table, mode, ...rest })
  await database.use(connection => createTarget(connection, spec))
  return spec
}

async function run(sql: string): Promise<Record<string, unknown>[]> {
  return await database.use(async c => (await c.query(sql)).rows)
}

/** Loads, expects a refusal, and gives the error with what the ledger kept. */
async function refused(spec: PostgresLoad, options: SampleOptions) {
  let revisionId = ''
  const error = await loadSample(database, spec, {
    ...options,
    change: input => {
      revisionId = input.revision.id
      return options.change?.(input) ?? input
    },
  }).then(
    () => assert.fail('the load was not refused'),
    (thrown: TallymanError) => thrown,
  )
  const kept = await database.use(async connection => ({
    load: await loadOf(connection, revisionId),
    rejects: await listRejects(connection, { revisionId }),
  }))
  return { error, ...kept }
}

const D = '2026-11-20'

test('rows that COPY does not store fail the load with zero rows', async () => {
  const spec = await target('copied', 'upsert')
  await run(`CREATE FUNCTION erp.lose() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF NEW.ref = 'b' THEN RETURN NULL; END IF; RETURN NEW; END $$`)
  const { error, load } = await refused(spec, {
    job: 'copied',
    files: [{ name: 'F.csv', records: plain([D, 'a', '1'], [D, 'b', '2']) }],
    change: input => ({
      ...input,
      blocks: (async function* () {
        // Before its first row comes the staging is there, and nothing is on its way.
        await input.connection.query(
          `CREATE TRIGGER lose BEFORE INSERT ON tallyman.staging_${input.connection.pid}_0_rows
             FOR EACH ROW EXECUTE FUNCTION erp.lose()`,
        )
        yield* input.blocks
      })(),
    }),
  })
  assert.equal(error.code, 'LOAD_ROWS_NOT_STORED')
  assert.match(error.message, /^2 rows were sent to the staging of erp\.copied and the database stored 1\./)
  assert.deepEqual([load, await run('SELECT * FROM erp.copied')], [null, []])
})

test('a trigger that swallows a row fails the load with zero rows', async () => {
  const spec = await target('swallowed', 'upsert')
  await run(`CREATE FUNCTION erp.swallow() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF NEW.ref = 'b' THEN RETURN NULL; END IF; RETURN NEW; END $$`)
  await run(
    'CREATE TRIGGER swallow BEFORE INSERT ON erp.swallowed FOR EACH ROW EXECUTE FUNCTION erp.swallow()',
  )
  const { error, load } = await refused(spec, {
    job: 'swallowed',
    files: [{ name: 'S.csv', records: plain([D, 'a', null], [D, 'b', null]) }],
  })
  assert.equal(error.code, 'LOAD_ROWS_SWALLOWED')
  assert.match(error.message, /2 rows of erp\.swallowed were to be inserted, and the database reports 1/)
  assert.deepEqual(await run('SELECT * FROM erp.swallowed'), [])
  assert.equal(load?.state, 'unpublished')
})

test('a trigger that changes an amount is caught by the control total', async () => {
  const spec = await target('cheated', 'upsert')
  await run(`CREATE FUNCTION erp.cheat() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.amount := NEW.amount - 0.01; RETURN NEW; END $$`)
  await run('CREATE TRIGGER cheat BEFORE INSERT ON erp.cheated FOR EACH ROW EXECUTE FUNCTION erp.cheat()')
  const { error } = await refused(spec, {
    job: 'cheated',
    files: [{ name: 'C.csv', records: plain([D, 'a', '1'], [D, 'b', '2']) }],
  })
  assert.equal(error.code, 'LOAD_TOTALS_DIFFER')
  assert.deepEqual(error.details, {
    table: 'erp.cheated',
    total: 'amount',
    group: '',
    sent: '3',
    found: '2.98',
  })
  assert.deepEqual(await run('SELECT * FROM erp.cheated'), [])
})

test('a control total that staging does not hold fails the load', async () => {
  const spec = await target('staged_total', 'upsert')
  const { error } = await refused(spec, {
    job: 'staged-total',
    files: [{ name: 'C.csv', records: plain([D, 'a', '1'], [D, 'b', '2']) }],
    meddle: async connection => {
      await connection.query(
        `UPDATE tallyman."staging_${connection.pid}_0_rows" SET amount = 7 WHERE ref = 'a'`,
      )
    },
  })
  assert.equal(error.code, 'LOAD_TOTALS_DIFFER')
  assert.match(error.message, /amount of erp\.staged_total is 9 in staging, but 3 was sent/)
})

for (const [name, what, sql] of [
  ['law_planted', 'planted in', 'INSERT INTO $ SELECT * FROM $ LIMIT 1'],
  ['law_taken', 'taken out of', "DELETE FROM $ WHERE ref = 'a'"],
] as const) {
  test(`a row ${what} staging breaks the law of the table, and nothing is published`, async () => {
    const spec = await target(name, 'append', { key: 'none' })
    await assert.rejects(
      loadSample(database, spec, {
        job: name,
        files: [{ name: 'L.csv', records: plain([D, 'a', null], [D, 'b', null]) }],
        meddle: async connection => {
          await connection.query(sql.replaceAll('$', `tallyman."staging_${connection.pid}_0_rows"`))
        },
      }),
      { code: 'BUG_LAW_BROKEN' },
    )
    assert.deepEqual(await run(`SELECT * FROM erp.${name}`), [])
  })
}

test('more deletes than the guard allows publish nothing, at its limit they pass', async () => {
  const spec = await target('guarded', 'replace', { scope: 'day', maxDeletePercent: 50 })
  const load = (...refs: string[]): SampleOptions => ({
    job: 'guarded',
    files: [{ name: 'G.csv', records: plain(...refs.map(ref => [D, ref, '1'])) }],
  })
  await loadSample(database, spec, load('a', 'b', 'c', 'd'))
  const { error, load: kept } = await refused(spec, load('a'))
  assert.equal(error.code, 'LOAD_DELETE_GUARD')
  assert.match(error.message, /would take 3 of 4 rows away from erp\.guarded/)
  assert.equal(kept?.state, 'unpublished')
  assert.equal((await run('SELECT * FROM erp.guarded')).length, 4)
  await loadSample(database, spec, load('a', 'b'))
  assert.equal((await run('SELECT * FROM erp.guarded')).length, 2)
})

test('an empty set never deletes, whatever the guard allows', async () => {
  const spec = await target('emptied', 'mirror', { maxDeletePercent: 100 })
  await loadSample(database, spec, {
    job: 'emptied',
    files: [{ name: 'E.csv', records: plain([D, 'a', '1']) }],
  })
  const { error } = await refused(spec, { job: 'emptied', files: [{ name: 'E.csv', records: [] }] })
  assert.equal(error.code, 'LOAD_EMPTY_SET')
  assert.equal((await run('SELECT * FROM erp.emptied')).length, 1)
})

test('an empty file into an empty scope is a load of nothing', async () => {
  const spec = await target('nothing', 'replace', { scope: 'day' })
  const outcome = await loadSample(database, spec, {
    job: 'nothing',
    files: [{ name: 'N.csv', records: [] }],
  })
  assert.equal(outcome.kind, 'loaded')
})

test('B14: a row of another date is refused with its line, and touches nothing', async () => {
  const spec = await target('scoped', 'replace', { scope: 'day' })
  const { error } = await refused(spec, {
    job: 'scoped',
    files: [
      { name: 'S.csv', records: plain([D, 'a', '1'], ['2026-11-19', 'b', '1'], ['2026-11-18', 'c', '1']) },
    ],
  })
  assert.equal(error.code, 'LOAD_OUTSIDE_SCOPE')
  assert.match(error.message, /2 rows .* the first from line 3 of S\.csv/)
  assert.deepEqual(await run('SELECT * FROM erp.scoped'), [])
})

test('too many rejects publish nothing, and every reject so far is kept', async () => {
  const spec = await target('limited', 'upsert', { rejects: { maxCount: 2, maxPercent: 100 } })
  const records = [...plain([D, 'a', '1']), ...Array.from({ length: 3 }, () => ({ reject: true as const }))]
  const { error, load, rejects } = await refused(spec, {
    job: 'limited',
    files: [{ name: 'L.csv', records }],
  })
  assert.equal(error.code, 'MAP_REJECT_LIMIT')
  assert.equal(load?.state, 'unpublished')
  assert.deepEqual(
    rejects.map(reject => reject.line),
    [3, 4, 5],
  )
  assert.deepEqual(await run('SELECT * FROM erp.limited'), [])
})

test('conflicts found by the load count toward the reject limit', async () => {
  const spec = await target('limited_later', 'upsert', { rejects: { maxCount: 2, maxPercent: 100 } })
  const { error, load, rejects } = await refused(spec, {
    job: 'limited-later',
    files: [
      { name: 'L.csv', records: [{ reject: true }, ...plain([D, 'a', '1'], [D, 'a', '2'], [D, 'b', '3'])] },
    ],
  })
  assert.equal(error.code, 'LOAD_REJECT_LIMIT')
  assert.deepEqual(load?.result.counts, { read: 4, mapped: 1, rejected: 3, filtered: 0 })
  assert.equal(rejects.length, 3)
  assert.deepEqual(await run('SELECT * FROM erp.limited_later'), [])
})

test('where no reject is allowed, a violated constraint publishes nothing and its row is the reject', async () => {
  const spec = await target('violated', 'upsert', { rejects: { maxCount: 0 } })
  await run('ALTER TABLE erp.violated ADD CONSTRAINT no_refunds CHECK (amount >= 0)')
  const rows = Array.from({ length: 50 }, (_, at) => [D, `r${at}`, at % 20 === 17 ? '-1' : '1'])
  const { error, load, rejects } = await refused(spec, {
    job: 'violated',
    files: [{ name: 'V.csv', records: plain(...rows) }],
  })
  assert.equal(error.code, 'LOAD_REJECT_LIMIT')
  assert.equal(load?.state, 'unpublished')
  assert.deepEqual(load?.result.counts, { read: 50, mapped: 49, rejected: 1, filtered: 0 })
  assert.deepEqual(
    rejects.map(({ line }) => line),
    [19],
  )
  assert.match(
    rejects[0]!.issues[0]!.message,
    /^The row with day = 2026-11-20, ref = r17 is refused by erp\.violated: it violates no_refunds/,
  )
  assert.deepEqual(await run('SELECT * FROM erp.violated'), [])
})

test('a delete that the target refuses fails the load and says that it was a delete', async () => {
  const spec = await target('referred', 'mirror', { maxDeletePercent: 100 })
  await loadSample(database, spec, {
    job: 'referred',
    files: [{ name: 'M.csv', records: plain([D, 'a', '1'], [D, 'b', '1']) }],
  })
  await run(
    `CREATE TABLE erp.referring (day date, ref varchar(20), FOREIGN KEY (day, ref) REFERENCES erp.referred)`,
  )
  await run(`INSERT INTO erp.referring VALUES ('${D}', 'b')`)
  const { error } = await refused(spec, {
    job: 'referred',
    files: [{ name: 'M.csv', records: plain([D, 'a', '2']) }],
  })
  assert.equal(error.code, 'LOAD_CONSTRAINT_VIOLATED')
  assert.match(error.message, /^Deleting rows of erp\.referred/)
  assert.equal((await run('SELECT * FROM erp.referred')).length, 2)
})

test('a load that lost its run to another attempt commits nothing', async () => {
  const spec = await target('fenced', 'upsert')
  const attempt = loadSample(database, spec, {
    job: 'fenced',
    files: [{ name: 'F.csv', records: plain([D, 'a', '1']) }],
    meddle: async () => {
      await run("UPDATE tallyman.run SET fence = fence + 1 WHERE job = 'fenced'")
    },
  })
  await assert.rejects(attempt, { code: 'RUN_FENCED' })
  assert.deepEqual(await run('SELECT * FROM erp.fenced'), [])
})

test('the same revision at the same time waits at the gate, finds it done and reads no row', async () => {
  const spec = await target('gated', 'upsert')
  let again: Promise<PostgresLoadOutcome> | null = null
  const secondTime = async (input: PostgresLoadInput): Promise<PostgresLoadOutcome> => {
    const connection = await database.connect()
    const blocks = (async function* (): AsyncGenerator<never> {
      yield assert.fail('the files of a load that is done were read again')
    })()
    try {
      return await loadIntoPostgres({ ...input, connection, blocks }, quietContext())
    } finally {
      await connection.close()
    }
  }
  await loadSample(database, spec, {
    job: 'gated',
    files: [{ name: 'F.csv', records: plain([D, 'a', '1']) }],
    change: input => ({
      ...input,
      blocks: (async function* () {
        yield* input.blocks
        again = secondTime(input)
      })(),
    }),
  })
  const outcome = await again!
  if (outcome.kind !== 'done-before') assert.fail(`it was ${outcome.kind}`)
  assert.equal(outcome.load.state, 'published')
  assert.equal((await run('SELECT * FROM erp.gated')).length, 1)
})
