/**
 * Two delimited files of ten columns that differ in a known share of their rows, written by DuckDB because
 * five million rows would take Node a minute. The second file has its rows in another order.
 */
import { openDuckDb } from '../lib/format/duckdb/session.ts'
import { quoteText } from '../lib/format/duckdb/sql.ts'

/** The columns; `id` is the key, `amount` a number. */
export const COLUMNS = [
  'id',
  'account',
  'customer',
  'product',
  'country',
  'quantity',
  'amount',
  'currency',
  'booked',
  'created',
] as const

/** What is written, and how much of it differs. */
export interface CompareFeed {
  readonly rows: number
  /** Of 1,000 rows so many differ: half in their amount, a quarter in a text, a quarter is missing on either side. */
  readonly perMille: number
}

/** A prime, so that `i * STEP % rows` visits every row once in another order. */
const STEP = 7_368_787

/** Writes the files; the same options always give the same bytes. Gives the number of rows that differ. */
export async function writeSides(
  folder: string,
  files: readonly [string, string],
  feed: CompareFeed,
): Promise<number> {
  const db = await openDuckDb({
    spillFolder: `${folder}/feed.spill`,
    folders: [folder],
    limits: { memoryMb: 1024 },
  })
  try {
    await db.run(`create temp table rows as ${rowsOf(feed)}`)
    for (const [index, file] of files.entries()) {
      const order = index === 0 ? 'i' : `(i * ${STEP}) % ${feed.rows}`
      await db.run(
        `copy (select ${cells(index)} from rows where sort not in (${index === 0 ? "'right only'" : "'left only'"}) order by ${order})
         to ${quoteText(file)} (format csv, header, delimiter ',')`,
      )
    }
    const [row] = await db.rows("select count(*) filter (where sort <> 'equal') from rows")
    return Number(row![0])
  } finally {
    await db.close()
  }
}

function rowsOf({ rows, perMille }: CompareFeed): string {
  const sort = `case when hash(i) % 1000 >= ${perMille} then 'equal' when hash(i + 1) % 4 < 2 then 'amount' when hash(i + 1) % 4 = 2 then 'text' when hash(i + 2) % 2 = 0 then 'left only' else 'right only' end`
  return `select i, hash(i * 31) as h, ${sort} as sort from range(${rows}) t(i)`
}

function cells(index: number): string {
  const pick = (list: readonly string[], shift: number): string =>
    `[${list.map(quoteText).join(', ')}][1 + ((h >> ${shift}) % ${list.length})::int]`
  const right = index === 1
  const cents = `(h % 100000000)::bigint${right ? " + if(sort = 'amount', 1 + (h % 9)::bigint, 0)" : ''}`
  return [
    '10000000 + i as id',
    "'DE' || lpad((h % 10000000000)::varchar, 20, '0') as account",
    `${pick(['Anna', 'Jürgen', 'Łukasz', 'Søren', 'José', 'Marie'], 3)} || ' ' || ${pick(['Müller, Dr.', 'Smith', 'Kowalczyk', 'Öztürk', 'García'], 7)}${right ? " || if(sort = 'text', ' II', '')" : ''} as customer`,
    `${pick(['Cable tie 2.5 mm', 'Gear wheel M3 x 40', 'Toner black', '19" rack shelf'], 11)} as product`,
    `${pick(['DE', 'FR', 'PL', 'SE', 'GB', 'TR'], 13)} as country`,
    '1 + (h >> 17) % 40 as quantity',
    `(${cents}) // 100 || '.' || lpad(((${cents}) % 100)::varchar, 2, '0') as amount`,
    `${pick(['EUR', 'EUR', 'PLN', 'SEK', 'GBP'], 19)} as currency`,
    "strftime(date '2026-01-01' + ((h >> 23) % 365)::int, '%Y-%m-%d') as booked",
    "strftime(timestamp '2026-01-01' + to_seconds(((h >> 5) % 31536000)::bigint), '%Y-%m-%dT%H:%M:%SZ') as created",
  ].join(', ')
}
