/**
 * The target compared with its definition: what is found, and that the printed DDL mends it.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { createTarget, targetTables } from '../../../../lib/load/create-target.ts'
import { postgres } from '../../../../lib/load/postgres.ts'
import { checkTargets, findMismatches } from '../../../../lib/load/target-check.ts'
import type { TallymanError } from '../../../../lib/model/errors.ts'
import { column, defineTable } from '../../../../lib/model/table.ts'
import { loadSample, plain } from '../../../support/load-sample.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

const columns = {
  ref: column.text({ doc: "The carrier's reference.", max: 20 }),
  note: column.text({ doc: 'Free \\ text.', nullable: true }),
  pieces: column.integer({ doc: 'Pieces.' }),
  weightKg: column.decimal({ doc: 'Weight.', precision: 10, scale: 3, nullable: true }),
  day: column.date({ doc: 'Day.' }),
  deliveredAt: column.timestamp({ doc: 'Delivered.', nullable: true }),
  damaged: column.boolean({ doc: 'Damaged.' }),
}

function specOf(name: string) {
  const table = defineTable('ship', name, columns, { doc: 'Deliveries.', key: ['ref'], asOf: 'version' })
  return postgres({ table, mode: 'upsert' })
}

async function mismatches(name: string) {
  return await database.use(c => findMismatches(c, targetTables(specOf(name))))
}

const run = (sql: string) => database.use(c => c.query(sql))

await run('CREATE SCHEMA ship')

/** A table that fits but for what is replaced in its DDL. */
function fitting(name: string, replacements: Record<string, string> = {}): string {
  let body = `ref varchar(20) NOT NULL PRIMARY KEY, note text, pieces bigint NOT NULL, weight_kg numeric(10,3),
    day date NOT NULL, delivered_at timestamptz, damaged boolean NOT NULL, version text COLLATE "C"`
  for (const [from, to] of Object.entries(replacements)) {
    assert.ok(body.includes(from), from)
    body = body.replace(from, to)
  }
  return `CREATE TABLE ship.${name} (${body})`
}

test('a created target fits its own definition and carries its docs as comments', async () => {
  const ran = await database.use(c => createTarget(c, specOf('created')))
  assert.match(ran[0]!, /^CREATE TABLE "ship"\."created"/)
  assert.deepEqual((await mismatches('created')).mismatches, [])
  const { rows } = await run(
    `SELECT col_description('ship.created'::regclass, attnum) AS doc FROM pg_attribute
     WHERE attrelid = 'ship.created'::regclass AND attname IN ('ref', 'note') ORDER BY attnum`,
  )
  assert.deepEqual(
    rows.map(row => row.doc),
    ["The carrier's reference.", 'Free \\ text.'],
  )
  assert.deepEqual(await database.use(c => createTarget(c, specOf('created'))), [])
})

test('a missing table is told with the statements that create it', async () => {
  const found = (await mismatches('missing')).mismatches
  assert.deepEqual(
    found.map(({ problem }) => problem),
    ['the table does not exist'],
  )
  for (const statement of found[0]!.ddl) await run(statement)
  assert.deepEqual((await mismatches('missing')).mismatches, [])
})

const MENDABLE: [string, string, Record<string, string>][] = [
  ['missing_column', 'column note is missing', { 'note text,': '' }],
  [
    'short_text',
    'column ref is character varying(10), declared varchar(20): 10 characters are fewer than 20',
    { 'varchar(20)': 'varchar(10)' },
  ],
  [
    'limited_text',
    'column note is character varying(100), declared text: longer texts would be refused',
    { 'note text': 'note varchar(100)' },
  ],
  [
    'padded',
    'column ref is character(20), declared varchar(20): it is padded, so that texts come back changed',
    { 'varchar(20)': 'char(20)' },
  ],
  [
    'int_for_bigint',
    'column pieces is integer, declared bigint: it holds smaller numbers only',
    { bigint: 'integer' },
  ],
  [
    'few_decimals',
    'column weight_kg is numeric(10,2), declared numeric(10,3): 2 decimal places are fewer than 3',
    { '(10,3)': '(10,2)' },
  ],
  [
    'few_digits',
    'column weight_kg is numeric(9,3), declared numeric(10,3): 6 digits before the point are fewer than 7',
    { '(10,3)': '(9,3)' },
  ],
  [
    'floating',
    'column weight_kg is double precision, declared numeric(10,3): it is not exact',
    { 'numeric(10,3)': 'float8' },
  ],
  [
    'zoneless',
    'column delivered_at is timestamp without time zone, declared timestamptz: without a zone it is no instant',
    { timestamptz: 'timestamp' },
  ],
  [
    'coarse',
    'column delivered_at is timestamp(3) with time zone, declared timestamptz: microseconds would be rounded',
    { timestamptz: 'timestamptz(3)' },
  ],
  ['not_null', 'column note is NOT NULL, declared nullable', { 'note text': 'note text NOT NULL' }],
  [
    'unfilled',
    'column extra is NOT NULL, has no default and is not filled by the mapping',
    { 'note text,': 'note text, extra int NOT NULL, filled int NOT NULL DEFAULT 1,' },
  ],
  ['no_key', 'no unique index holds the declared key (ref)', { ' PRIMARY KEY': '' }],
  ['nullable_key', 'column ref is in the key and allows NULL', { ' NOT NULL PRIMARY KEY': ' UNIQUE' }],
  [
    'version_order',
    'column version is text, declared text COLLATE "C": its order must be that of its bytes',
    { ' COLLATE "C"': '' },
  ],
]

test('each mismatch is named, and its DDL mends it when executed', async () => {
  for (const [name, problem, replacements] of MENDABLE) {
    await run(fitting(name, replacements))
    const found = (await mismatches(name)).mismatches
    assert.deepEqual(
      found.map(mismatch => mismatch.problem),
      [problem],
      name,
    )
    for (const statement of found.flatMap(({ ddl }) => ddl)) await run(statement)
    assert.deepEqual((await mismatches(name)).mismatches, [], `${name} after its DDL`)
  }
})

test('wider types, domains over fitting types and other collations are no mismatch', async () => {
  await run("CREATE DOMAIN ship.reference AS varchar(40) CHECK (VALUE <> '')")
  await run(
    fitting('wider', {
      'ref varchar(20)': 'ref ship.reference COLLATE "C"',
      bigint: 'numeric',
      'numeric(10,3)': 'numeric(20,6)',
      'note text,': 'note varchar, filled int NOT NULL DEFAULT 1,',
    }),
  )
  assert.deepEqual((await mismatches('wider')).mismatches, [])
  const row = ['a', null, 1, '1.5', '2026-11-20', '2026-11-20T10:00:00Z', true]
  const load = (businessDate: string, weight: string) =>
    loadSample(database, specOf('wider'), {
      job: 'wider',
      businessDate,
      files: [{ name: 'W.csv', records: plain(row.with(3, weight)) }],
    })
  await load('2026-11-20', '1.5')
  const again = await load('2026-11-21', '1.50')
  assert.equal(again.kind === 'loaded' && again.result.tables[0]!.unchanged, 1)
})

test('what only a person can decide is named without DDL', async () => {
  await run(fitting('parent'))
  await run('CREATE TABLE ship.child (ref varchar(20) REFERENCES ship.parent ON DELETE CASCADE)')
  await run('ALTER TABLE ship.parent ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY')
  await run(`CREATE VIEW ship.seen AS SELECT * FROM ship.created`)
  const found = (await mismatches('parent')).mismatches
  assert.match(found.map(({ problem }) => problem).join('; '), /ship\.child refers to it on delete cascade/)
  assert.ok(found.every(({ ddl }) => ddl.length === 0))
  assert.match((await mismatches('seen')).mismatches[0]!.problem, /it is no table but a view/)
})

test('all mismatches stand in one error, with the DDL, before any row is sent', async () => {
  await run(fitting('many_wrong', { 'note text,': '', bigint: 'integer', 'varchar(20)': 'varchar(5)' }))
  let read = 0
  const attempt = loadSample(database, specOf('many_wrong'), {
    job: 'many-wrong',
    files: [{ name: 'W.csv', records: plain(['a', null, 1, null, '2026-11-20', null, true]) }],
    change: input => ({
      ...input,
      blocks: (async function* () {
        read += 1
        yield* input.blocks
      })(),
    }),
  })
  const error = await attempt.then(
    () => assert.fail('it was loaded'),
    (thrown: TallymanError) => thrown,
  )
  assert.equal(error.code, 'LOAD_TARGET_MISMATCH')
  assert.equal((error.details.problems as string[]).length, 3)
  assert.match(error.message, /ALTER TABLE "ship"\."many_wrong" ADD COLUMN "note" text;/)
  assert.equal(read, 0)
})

test('a user without rights gets the GRANT to ask for', async () => {
  await run(fitting('guarded'))
  await run('CREATE ROLE narrow NOLOGIN')
  await run('GRANT USAGE ON SCHEMA ship TO narrow')
  await run('GRANT SELECT, INSERT ON ship.guarded TO narrow')
  const connection = await database.connect()
  try {
    await connection.query('SET ROLE narrow')
    await assert.rejects(checkTargets(connection, targetTables(specOf('guarded'))), {
      message: /GRANT UPDATE, DELETE ON "ship"\."guarded" TO "narrow";/,
    })
  } finally {
    await connection.close()
    await run('DROP OWNED BY narrow')
    await run('DROP ROLE narrow')
  }
})
