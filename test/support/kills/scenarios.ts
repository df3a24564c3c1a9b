/**
 * Runs that are killed: each is a job on its way, with the deliveries of one date. Together they pass
 * every failpoint of the source, most of them several times or in several jobs; how often each passes
 * which is measured (kill-night.ts). A failpoint that none passes needs a scenario here.
 */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Night } from '../night.ts'
import {
  hours,
  type OrderLine,
  orders,
  ratesCsv,
  ratesXml,
  someLines,
  statements,
} from '../night-deliveries.ts'
import type { WatchedNight } from '../run-check.ts'

/** Where a scenario takes place. */
export interface Place {
  readonly night: Night
  readonly watched: WatchedNight
}

/** A run that can be killed, on any date. */
export interface Scenario {
  readonly job: string
  /** Makes the deliveries of the date, and what has to be before. */
  readonly prepare: (place: Place, date: string) => Promise<void>
}

/** Large: more than two COPY statements of 4 MiB; descriptions may be long and a letter may take four bytes. */
const LARGE = { lines: 11_000, words: '\u{1d11e}'.repeat(180) }

const compact = (date: string): string => date.replaceAll('-', '')

async function deliverOrders(
  { watched }: Place,
  date: string,
  lines: readonly OrderLine[],
  { suffix = '', words = 'THING' } = {},
): Promise<void> {
  const name = `orders_${compact(date)}${suffix}.csv`
  await watched.deliver('portal', name, orders(date, lines, undefined, words))
}

async function deliverStatements({ watched }: Place, date: string, banks: readonly string[]): Promise<void> {
  for (const bank of banks) {
    const statement = { id: `S-${bank}-${date}`, opening: 1, entries: [2, 3], closing: 6 }
    await watched.deliver('bank', `camt053_${compact(date)}_${bank}.xml`, statements(date, [statement]))
  }
}

/** A person who stands in the file three times goes out in three requests: no request holds a key twice. */
async function deliverHours({ watched }: Place, date: string, people: number, suffix = ''): Promise<void> {
  const once = Array.from({ length: people }, (_, index) => String(index + 1).padStart(8, '0'))
  const lines = [...once, once[0]!, once[0]!]
  await watched.deliver('payroll', `hours_${compact(date)}${suffix}.csv`, hours(date, lines))
}

/** By name; those that cost least come first. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  /** Three requests to an API. */
  hours: { job: 'payroll-hours', prepare: (place, date) => deliverHours(place, date, 3) },
  /** One file that is replaced and moved, with a reject. */
  orders: {
    job: 'portal-orders',
    prepare: (place, date) => deliverOrders(place, date, [...someLines(4), ['BAD', 'many']]),
  },
  /** Three files into two tables, deleted after the load. */
  statements: {
    job: 'bank-statements',
    prepare: (place, date) => deliverStatements(place, date, ['a', 'b', 'c']),
  },
  /** Two feeds, an upsert, left where it lies, and differences to a second source. */
  rates: {
    job: 'fx-rates',
    prepare: async ({ watched }, date) => {
      await watched.deliver('ecb', `eurofxref-hist_${compact(date)}.csv`, ratesCsv(date, { USD: '1.2' }))
      const rates = { USD: '1.1', JPY: '170' }
      await watched.deliver('ecb', `eurofxref-hist-90d_${compact(date)}.xml`, ratesXml(date, rates))
    },
  },
  /** A second revision of a date that was loaded. */
  corrected: {
    job: 'portal-orders',
    prepare: async (place, date) => {
      await deliverOrders(place, date, someLines(4))
      await place.night.run('portal-orders', date)
      await deliverOrders(place, date, [...someLines(2), ['NEW', 3]], { suffix: '_corrected' })
    },
  },
  /** A line that a constraint of the target refuses. */
  refused: {
    job: 'portal-orders',
    prepare: (place, date) => deliverOrders(place, date, [...someLines(4), ['TRAP', 1]]),
  },
  /** The API once more for a date: what it has is unchanged, what is new is created. */
  'hours-corrected': {
    job: 'payroll-hours',
    prepare: async (place, date) => {
      await deliverHours(place, date, 2)
      await place.night.run('payroll-hours', date)
      await deliverHours(place, date, 4, '_corrected')
    },
  },
  /** Pictures that nothing names, as killed runs leave them: they are removed at the end. */
  untidy: {
    job: 'portal-orders',
    prepare: async (place, date) => {
      await deliverOrders(place, date, someLines(3))
      const folder = place.night.engine.folders.snapshots
      for (const ending of ['0', '1', '2']) {
        const name = createHash('sha256').update(`${date} ${ending}`).digest('hex')
        await writeFile(path.join(folder, `${name}.parquet`), 'rows of nobody')
      }
    },
  },
  /** Much of everything that is done piece by piece. */
  large: {
    job: 'portal-orders',
    prepare: (place, date) => deliverOrders(place, date, someLines(LARGE.lines), { words: LARGE.words }),
  },
}
