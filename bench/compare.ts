/**
 * Figure: two delimited files of ten columns compared, every break written; against bare DuckDB SQL over the
 * same files, and COPY + FULL JOIN in Postgres. `--rows 1000000 --permille 10 --rounds 3 --memory 512`.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { openDuckDb } from '../lib/format/duckdb/session.ts'
import { quoteText } from '../lib/format/duckdb/sql.ts'
import { compareSides } from '../reconcile/compare/compare-sides.ts'
import { openFileSide } from '../reconcile/sides/file-side.ts'
import { matchColumns } from '../reconcile/sides/match-columns.ts'
import { COLUMNS, writeSides } from './compare-feed.ts'
import { type Contender, interleave, tell } from './interleave.ts'
import { numbers, quiet, type Scratch, withScratch } from './scratch.ts'

const { rows, permille, rounds, memory } = numbers({ rows: 1_000_000, permille: 10, rounds: 3, memory: 512 })

await withScratch(async scratch => {
  const files = [join(scratch.folder, 'left.csv'), join(scratch.folder, 'right.csv')] as const
  const different = await writeSides(scratch.folder, files, { rows, perMille: permille })
  const bytes = (await stat(files[0])).size
  const measured = await interleave(
    [bare(scratch, files, different), engine(scratch, files, different), postgres(scratch, files)],
    rounds,
  )
  tell(
    `${rows} x ${rows} rows of ${COLUMNS.length} columns, ${(bytes / 1e6).toFixed(0)} MB a side, ${different} differ -> every break in a file`,
    measured,
    `1.5 x, at most ${memory} + 500 MB`,
  )
})

/** The rows that differ, straight from the files, with both values of each column. */
function bare(scratch: Scratch, [left, right]: readonly [string, string], different: number): Contender {
  const out = join(scratch.folder, 'bare.csv')
  const read = (file: string): string => `read_csv(${quoteText(file)}, header = true, all_varchar = true)`
  const values = COLUMNS.flatMap(name => [`l.${name} as l_${name}`, `r.${name} as r_${name}`])
  const differ = COLUMNS.map(name => `l.${name} is distinct from r.${name}`)
  return {
    name: 'bare DuckDB SQL: FULL JOIN of read_csv',
    run: async () => {
      const db = await openDuckDb({
        spillFolder: join(scratch.folder, 'bare.spill'),
        folders: [scratch.folder],
        limits: { memoryMb: memory },
      })
      await db.run(
        `copy (select ${values.join(', ')} from ${read(left)} l full join ${read(right)} r on l.id = r.id where ${differ.join(' or ')}) to ${quoteText(out)} (format csv, header)`,
      )
      const [row] = await db.rows(
        `select count(*) from read_csv(${quoteText(out)}, header = true, all_varchar = true)`,
      )
      if (Number(row![0]) !== different) throw new Error(`${row![0]} differ, ${different} were made`)
      await db.close()
    },
  }
}

/** What `tallyman compare` does. */
function engine(scratch: Scratch, [left, right]: readonly [string, string], different: number): Contender {
  const workFolder = join(scratch.folder, 'work')
  const limits = { memoryMb: memory }
  const place = { folder: workFolder, workFolder, where: null, limits }
  return {
    name: 'compare --key id --tolerance amount=0',
    run: async () => {
      await mkdir(workFolder, { recursive: true })
      const clock = stopwatch()
      const l = await openFileSide(place, left, {}, quiet)
      const r = await openFileSide(place, right, {}, quiet)
      clock('open')
      const match = matchColumns(l, r, {
        key: ['id'],
        map: [],
        tolerance: [['amount', '0']],
        ignore: [],
        trim: false,
        nullTokens: [],
      })
      const [source, target] = [await l.take('source', match.left), await r.take('target', match.right)]
      clock('take')
      const result = await compareSides(
        source,
        target,
        match.plan,
        { run: null, workFolder, breaksFile: join(workFolder, 'breaks.csv'), limits },
        quiet,
      )
      clock('compare')
      await l.close()
      await r.close()
      if (result.breaksTotal !== different)
        throw new Error(`${result.breaksTotal} breaks, ${different} were made`)
    },
    after: () => rm(workFolder, { recursive: true, force: true }),
  }
}

/** Says how long each phase took, where STOPWATCH=1 asks for it. */
function stopwatch(): (phase: string) => void {
  let last = performance.now()
  return phase => {
    const now = performance.now()
    if (process.env.STOPWATCH === '1') process.stderr.write(`  ${phase} ${(now - last).toFixed(0)} ms\n`)
    last = now
  }
}

/** Both files copied into Postgres and joined there. */
function postgres({ database, folder }: Scratch, [left, right]: readonly [string, string]): Contender {
  const columns = COLUMNS.map(name => `${name} text`).join(', ')
  const values = COLUMNS.flatMap(name => [`l.${name} as l_${name}`, `r.${name} as r_${name}`]).join(', ')
  return {
    name: 'Postgres: COPY + FULL JOIN',
    run: () =>
      database.use(async connection => {
        await connection.transaction(async () => {
          for (const [name, file] of [
            ['l', left],
            ['r', right],
          ] as const) {
            await connection.query(`create temp table ${name} (${columns}) on commit drop`)
            await connection.copyIn(
              `copy ${name} from stdin (format csv, header)`,
              createReadStream(file, { highWaterMark: 262_144 }),
            )
            await connection.query(`analyze ${name}`)
          }
          await pipeline(
            connection.copyOut(
              `copy (select ${values} from l full join r on l.id = r.id where (l.*) is distinct from (r.*)) to stdout (format csv, header)`,
            ),
            createWriteStream(join(folder, 'postgres.csv')),
          )
        })
      }),
  }
}
