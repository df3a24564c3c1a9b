/**
 * Figure 1: a delimited file, parsed, mapped, validated, rejects kept, into staging; against COPY of
 * the same rows into the same staging, already encoded. `--rows 200000 --rounds 3`.
 */
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { Connection } from '../lib/db/connection.ts'
import { storeRejects } from '../lib/ledger/reject.ts'
import { CopyBytes } from '../lib/load/copy-bytes.ts'
import { rowEncoder } from '../lib/load/copy-text.ts'
import { targetTables } from '../lib/load/create-target.ts'
import { stageRows } from '../lib/load/stage-rows.ts'
import { createStaging, type Staging, stagingColumns } from '../lib/load/staging.ts'
import { checkTargets } from '../lib/load/target-check.ts'
import { interleave, tell } from './interleave.ts'
import { writeOrders } from './order-feed.ts'
import { makeTarget, orderBlocks, orderSpec, orderTally, type Prepared, prepare } from './order-load.ts'
import { numbers, quiet, type Scratch, withScratch } from './scratch.ts'

const { rows, rounds } = numbers({ rows: 200_000, rounds: 3 })

await withScratch(async scratch => {
  const source = join(scratch.folder, 'orders.csv')
  const encoded = join(scratch.folder, 'orders.copy')
  await writeOrders(source, { rows })
  await makeTarget(scratch.database)
  const sent = await encodeOnce(scratch, source, encoded)
  const bytes = (await stat(source)).size
  const measured = await interleave(
    [
      staged(scratch, 'COPY of the same rows, already encoded', async (connection, staging) => {
        const stored = await connection.copyIn(
          copyInto(staging),
          createReadStream(encoded, { highWaterMark: 262_144 }),
        )
        if (stored !== sent) throw new Error(`${stored} rows stored, ${sent} sent`)
      }),
      staged(
        scratch,
        'parse, map, validate, keep rejects, COPY',
        async (connection, staging, { revision }) => {
          const tally = orderTally()
          const { counts } = await stageRows(
            connection,
            staging.tables,
            orderBlocks(source, revision, tally),
            async rejects => {
              await storeRejects(connection, revision, rejects)
            },
            quiet,
          )
          if (counts.mapped !== sent || counts.read !== rows) throw new Error(JSON.stringify(counts))
        },
      ),
    ],
    rounds,
  )
  tell(
    `${rows} rows of 12 columns, ${(bytes / 1e6).toFixed(0)} MB -> staging`,
    measured,
    '1.25 x, at most 300 MB',
  )
})

/** A contender that gets fresh staging in an open transaction, rolled back afterwards. */
function staged(
  { database }: Scratch,
  name: string,
  work: (connection: Connection, staging: Staging, prepared: Prepared) => Promise<void>,
) {
  let prepared: Prepared
  let staging: Staging
  return {
    name,
    before: async () => {
      prepared = await prepare(database)
      const { connection } = prepared
      await connection.query('CHECKPOINT')
      await connection.query('BEGIN')
      staging = await createStaging(connection, await checkTargets(connection, targetTables(orderSpec)))
    },
    server: () => prepared.connection.pid,
    run: () => work(prepared.connection, staging, prepared),
    after: async () => {
      await prepared.connection.query('ROLLBACK')
      await prepared.close()
    },
  }
}

function copyInto(staging: Staging): string {
  const one = staging.tables[0]!
  return `COPY ${one.rows} (${stagingColumns(one.table)}) FROM STDIN`
}

/** Writes the text that COPY is to get into a file; gives the number of its rows. */
async function encodeOnce({ database }: Scratch, source: string, encoded: string): Promise<number> {
  const prepared = await prepare(database)
  const encoder = rowEncoder(targetTables(orderSpec)[0]!)
  const out = createWriteStream(encoded)
  let sent = 0
  for await (const block of orderBlocks(source, prepared.revision, orderTally())) {
    const mapped = block.tables.rows!
    const bytes = new CopyBytes(262_144)
    encoder.encode(mapped, block.file, sent, bytes)
    if (!out.write(bytes.written())) await once(out, 'drain')
    sent += mapped.rows.length
  }
  out.end()
  await finished(out)
  await prepared.close()
  return sent
}
