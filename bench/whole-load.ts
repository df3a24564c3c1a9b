/**
 * A whole load, from the file to the commit: into an empty keyed table, the same content again under
 * a new load, and one row in a hundred changed; each against COPY of the same rows, encoded before,
 * and INSERT ... ON CONFLICT DO UPDATE. `--rows 200000 --rounds 2`.
 */
import { join } from 'node:path'
import type { Database } from '../lib/db/database.ts'
import { targetTables } from '../lib/load/create-target.ts'
import type { Staging } from '../lib/load/staging.ts'
import { columnList } from '../lib/load/target-table.ts'
import {
  copyEncoded,
  type Encoded,
  encode,
  loadFile,
  makeTarget,
  openStaging,
  type Prepared,
  prepare,
} from './feed-load.ts'
import { tellAgainst } from './figures.ts'
import { type Contender, interleave, tell } from './interleave.ts'
import { orderFeed, writeOrders } from './order-feed.ts'
import { numbers, type Scratch, withScratch } from './scratch.ts'

const { rows, rounds } = numbers({ rows: 200_000, rounds: 2 })

const table = targetTables(orderFeed.load)[0]!
const columns = columnList(table.columns)
const key = columnList(table.key)
const sets = table.values.map(column => `${column.sql} = excluded.${column.sql}`).join(', ')

/** How the table stands before each round. */
type State = 'empty' | 'full'

await withScratch(async scratch => {
  const { folder, database } = scratch
  const [source, changed] = [join(folder, 'orders.csv'), join(folder, 'changed.csv')]
  await writeOrders(source, { rows })
  await writeOrders(changed, { rows, changed: 100 })
  await makeTarget(database, orderFeed)
  // No vacuum comes in between by chance.
  await sql(database, `ALTER TABLE ${table.sql} SET (autovacuum_enabled = off)`)
  const encoded = await encode(database, orderFeed, source, join(folder, 'orders.copy'))
  const encodedChanged = await encode(database, orderFeed, changed, join(folder, 'changed.copy'))
  const first = await prepare(database, orderFeed)
  await loadFile(orderFeed, source, first)
  await first.close()
  await sql(database, `CREATE UNLOGGED TABLE bench.kept AS SELECT * FROM ${table.sql}`)
  const compare = async (path: string, state: State, file: string, sent: Encoded, reach: number) => {
    const contenders = [byConflict(scratch, state, sent), whole(scratch, state, file, sent)]
    // The load above has warmed code and caches; a round takes a minute.
    const measured = await interleave(contenders, rounds, 0)
    tell(`${rows} rows of 12 columns, ${path}`, measured)
    tellAgainst(path, measured, reach)
  }
  await compare('whole load into an empty table', 'empty', source, encoded, 0.6)
  await compare('the same content again', 'full', source, encoded, 0.35)
  await compare('1 % changed', 'full', changed, encodedChanged, 0.4)
})

/** The plain way: COPY, then one statement that inserts or overwrites. */
function byConflict({ database }: Scratch, state: State, sent: Encoded): Contender {
  let prepared: Prepared
  let staging: Staging
  return {
    name: 'COPY + INSERT ... ON CONFLICT',
    before: async () => {
      await restore(database, state)
      prepared = await prepare(database, orderFeed)
      staging = await openStaging(prepared, orderFeed)
    },
    server: () => prepared.connection.pid,
    run: async () => {
      const { connection } = prepared
      await copyEncoded(connection, staging, sent)
      const { rowCount } = await connection.query(
        `INSERT INTO ${table.sql} (${columns}) SELECT ${columns} FROM ${staging.tables[0]!.rows}
         ON CONFLICT (${key}) DO UPDATE SET ${sets}`,
      )
      if (rowCount !== sent.rows) throw new Error(`${rowCount} rows written, ${sent.rows} sent`)
      await staging.drop()
      await connection.query('COMMIT')
    },
    after: () => prepared.close(),
  }
}

/** Our way. */
function whole({ database }: Scratch, state: State, path: string, sent: Encoded): Contender {
  let prepared: Prepared
  return {
    name: 'parse, map, validate, load',
    before: async () => {
      await restore(database, state)
      prepared = await prepare(database, orderFeed)
      await prepared.connection.query('CHECKPOINT')
    },
    server: () => prepared.connection.pid,
    run: async () => {
      const { result } = await loadFile(orderFeed, path, prepared)
      if (result.counts.mapped !== sent.rows) throw new Error(JSON.stringify(result.counts))
    },
    after: () => prepared.close(),
  }
}

/** Brings the table back to where a round begins: as it stands after last night's load and a vacuum. */
async function restore(database: Database, state: State): Promise<void> {
  await sql(database, `TRUNCATE ${table.sql}`)
  if (state === 'empty') return
  await sql(database, `INSERT INTO ${table.sql} SELECT * FROM bench.kept`)
  await sql(database, `VACUUM (ANALYZE) ${table.sql}`)
}

async function sql(database: Database, text: string): Promise<void> {
  await database.use(connection => connection.query(text))
}
