/**
 * What a row costs when the file is ten times larger, and what memory each path takes then: staging
 * and the whole load of CSV, staging of XML. Small and large are measured
 * one after the other in one process. `--rows 20000 --entries 3000`.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { targetTables } from '../lib/load/create-target.ts'
import {
  type Feed,
  loadFile,
  makeTarget,
  openStaging,
  type Prepared,
  prepare,
  stageFile,
} from './feed-load.ts'
import { tellFigure, tellMemory } from './figures.ts'
import { interleave, type Measured, tell } from './interleave.ts'
import { orderFeed, writeOrders } from './order-feed.ts'
import { numbers, type Scratch, withScratch } from './scratch.ts'
import { statementFeed, writeStatements } from './statement-feed.ts'

const { rows, entries } = numbers({ rows: 20_000, entries: 10_000 })

/** How much larger the large file is. */
const TIMES = 10

/** What a row of the large file may cost against one of the small file. */
const REACH = 1.1

await withScratch(async scratch => {
  const path = (name: string): string => join(scratch.folder, name)
  await grow(scratch, 'CSV -> staging', rows, orderFeed, stage, size =>
    writeOrders(path(`${size}`), { rows: size }),
  )
  await grow(scratch, 'whole load into an empty table', rows, orderFeed, load, size =>
    writeOrders(path(`${size}`), { rows: size }),
  )
  await grow(scratch, 'camt XML -> staging', entries, statementFeed, stage, size =>
    writeStatements(path(`${size}`), size),
  )
})

type Work = (feed: Feed, path: string, prepared: Prepared) => Promise<void>

async function grow(
  { database, folder }: Scratch,
  name: string,
  small: number,
  feed: Feed,
  work: Work,
  write: (size: number) => Promise<void>,
): Promise<void> {
  const sizes = [small, small * TIMES]
  for (const size of sizes) await write(size)
  await makeTarget(database, feed)
  const contenders = sizes.map(size => {
    let prepared: Prepared
    return {
      name: `${size}`,
      before: async () => {
        for (const { sql } of targetTables(feed.load))
          await database.use(connection => connection.query(`TRUNCATE ${sql}`))
        prepared = await prepare(database, feed)
      },
      server: () => prepared.connection.pid,
      run: () => work(feed, join(folder, `${size}`), prepared),
      after: () => prepared.close(),
    }
  })
  const [warm] = await interleave(contenders.slice(0, 1), 2)
  const [large] = await interleave(contenders.slice(1), 1, 0)
  tell(`${name}, small and ${TIMES} times as large`, [warm!, large!])
  tellGrowth(name, warm!, large!, small)
  for (const size of sizes) await rm(join(folder, `${size}`))
}

function tellGrowth(name: string, small: Measured, large: Measured, size: number): void {
  tellFigure({
    path: `${name}: a row of a file ${TIMES} times larger`,
    ours: (large.medianMs * 1000) / (size * TIMES),
    unit: 'us a row',
    limit: (small.medianMs * 1000) / size,
    beside: `a row of ${size}`,
    reach: REACH,
  })
  tellMemory(`${name}, ${TIMES} times larger`, large.peakMb)
}

async function stage(feed: Feed, path: string, prepared: Prepared): Promise<void> {
  const staging = await openStaging(prepared, feed)
  await stageFile(feed, path, prepared, staging)
  await prepared.connection.query('ROLLBACK')
}

async function load(feed: Feed, path: string, prepared: Prepared): Promise<void> {
  await loadFile(feed, path, prepared)
}
