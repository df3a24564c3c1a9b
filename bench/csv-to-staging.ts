/**
 * A delimited file, parsed, mapped, validated, rejects kept, into staging; against COPY of the same
 * rows into the same staging, already encoded. `--rows 200000 --rounds 3`.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Staging } from '../lib/load/staging.ts'
import {
  copyEncoded,
  encode,
  makeTarget,
  openStaging,
  type Prepared,
  prepare,
  stageFile,
} from './feed-load.ts'
import { tellAgainst } from './figures.ts'
import { interleave, tell } from './interleave.ts'
import { orderFeed, writeOrders } from './order-feed.ts'
import { numbers, type Scratch, withScratch } from './scratch.ts'

const { rows, rounds } = numbers({ rows: 200_000, rounds: 3 })

await withScratch(async scratch => {
  const { folder, database } = scratch
  const source = join(folder, 'orders.csv')
  await writeOrders(source, { rows })
  await makeTarget(database, orderFeed)
  const encoded = await encode(database, orderFeed, source, join(folder, 'orders.copy'))
  const megabytes = (await stat(source)).size / 1e6
  const measured = await interleave(
    [
      staged(scratch, 'COPY of the same rows, encoded before', ({ connection }, staging) =>
        copyEncoded(connection, staging, encoded),
      ),
      staged(scratch, 'parse, map, validate, COPY', async (prepared, staging) => {
        const { counts } = await stageFile(orderFeed, source, prepared, staging)
        if (counts.mapped !== encoded.rows || counts.read !== rows) throw new Error(JSON.stringify(counts))
      }),
    ],
    rounds,
  )
  tell(`${rows} rows of 12 columns, ${megabytes.toFixed(0)} MB -> staging`, measured)
  tellAgainst('CSV -> staging', measured, 1.25)
})

/** A contender that gets fresh staging in an open transaction, rolled back afterwards. */
function staged(
  { database }: Scratch,
  name: string,
  work: (prepared: Prepared, staging: Staging) => Promise<void>,
) {
  let prepared: Prepared
  let staging: Staging
  return {
    name,
    before: async () => {
      prepared = await prepare(database, orderFeed)
      staging = await openStaging(prepared, orderFeed)
    },
    server: () => prepared.connection.pid,
    run: () => work(prepared, staging),
    after: async () => {
      await prepared.connection.query('ROLLBACK')
      await prepared.close()
    },
  }
}
