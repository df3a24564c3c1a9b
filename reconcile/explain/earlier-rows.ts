/**
 * Finds keys in the source pictures of earlier loads: the file and line that a row came from which only the
 * target has by now. One join for all keys, in DuckDB; answers come in the order in which keys were asked.
 */
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { openDuckDb } from '../../lib/format/duckdb/session.ts'
import { quoteName, quoteText, readSpool } from '../../lib/format/duckdb/sql.ts'
import type { Snapshot } from '../snapshot/manifest.ts'
import { openSpool } from '../snapshot/spool.ts'

/** Where an earlier load had a key. */
export interface EarlierRow {
  /** As asked. */
  readonly number: number
  readonly file: string
  readonly line: number
}

/** Where to look and to work. */
export interface EarlierPlace {
  /** The latest first: it wins. */
  readonly pictures: readonly Snapshot[]
  readonly key: readonly string[]
  readonly workFolder: string
  /** Names the files of its work. */
  readonly name: string
  readonly signal: AbortSignal
}

/** A key with a number that grows. */
export interface AskedKey {
  readonly number: number
  readonly key: Readonly<Record<string, string | null>>
}

/** The asked keys that an earlier picture has, by growing number. Cost: one scan of each picture. */
export async function* earlierRows(
  place: EarlierPlace,
  asked: AsyncIterable<AskedKey>,
): AsyncGenerator<EarlierRow> {
  const { pictures, key, workFolder, name, signal } = place
  const spool = await openSpool(path.join(workFolder, `${name}.csv`))
  try {
    for await (const one of asked) {
      spool.add([one.number, ...key.map(field => one.key[field] ?? null)])
      await spool.drain()
    }
    await spool.close()
    const db = await openDuckDb({
      spillFolder: path.join(workFolder, `${name}.spill`),
      folders: [],
      files: [spool.path, ...pictures.map(picture => picture.path)],
      signal,
    })
    try {
      const keys = key.map((_, i) => `k${i}`)
      await db.run(
        `create temp table asked as from ${readSpool(spool.path, ['n', ...keys], spool.longestLine())}`,
      )
      for await (const [numbers, files, lines] of db.stream(rowsSql(pictures, key))) {
        for (let i = 0; i < numbers!.length; i += 1)
          yield { number: Number(numbers![i]), file: String(files![i]), line: Number(lines![i]) }
      }
    } finally {
      await db.close()
    }
  } finally {
    await spool.close()
    await rm(spool.path, { force: true })
  }
}

function rowsSql(pictures: readonly Snapshot[], key: readonly string[]): string {
  const parts = pictures.map(({ path: file, manifest }, rank) => {
    const stored = key.map(field => quoteName(manifest.columns.find(({ name }) => name === field)!.stored))
    const match = stored.map((column, i) => `s.${column} = a.k${i}`).join(' and ')
    return `select a.n::bigint as n, ${rank} as rank, s._file as file, s._line as line
      from asked a join read_parquet(${quoteText(file)}) s on ${match} where s._file is not null`
  })
  return `select n, arg_min(file, rank), arg_min(line, rank) from (${parts.join(' union all ')}) group by n order by n`
}
