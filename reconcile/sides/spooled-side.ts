/**
 * A side whose rows were spooled as text: delimited and XML files. Reading them is in csv-side.ts and
 * xml-side.ts; here the spool becomes a snapshot with the columns that take part.
 */
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { quoteName, quoteText, readSpool } from '../../lib/format/duckdb/sql.ts'
import { ReconcileError } from '../../lib/model/errors.ts'
import { snapshotColumns } from '../snapshot/columns.ts'
import { finishSnapshot } from '../snapshot/finish.ts'
import type { Spool } from '../snapshot/spool.ts'
import { filtered, judgeCondition } from './condition.ts'
import { type OpenedSide, type SidePlace, whereInvalid } from './opened-side.ts'

/** A file that was read to its end into a spool: its columns, then line, issue and raw text. */
export interface SpooledFile {
  readonly name: string
  readonly columns: readonly string[]
  readonly notes: readonly string[]
  /** When the file was last changed, ISO. */
  readonly asOf: string
  readonly spool: Spool
}

/** The opened side of a spooled file. */
export function spooledSide(place: SidePlace, file: SpooledFile): OpenedSide {
  const { name, spool } = file
  const own = snapshotColumns(file.columns.map(column => ({ name: column, kind: 'text' as const })))
  const physical = [...own.map((_, i) => `c${i}`), 'line', 'issue', 'raw']
  const values = own.map(({ stored }, i) => `c${i} as ${quoteName(stored)}`)
  const origin = [`${quoteText(name)} as _file`, 'line::bigint as _line', 'issue as _issue', 'raw as _raw']
  const all = `select ${[...values, ...origin].join(', ')} from ${readSpool(spool.path, physical, spool.longestLine())}`
  return {
    name,
    notes: file.notes,
    columns: file.columns.map(column => ({ name: column, kind: null })),
    take: async (side, taken) => {
      const columns = snapshotColumns(taken.map(column => ({ name: column.name, kind: 'text' as const })))
      const picked = taken.map(
        (column, i) =>
          `${quoteName(own.find(candidate => candidate.name === column.own)!.stored)} as ${quoteName(columns[i]!.stored)}`,
      )
      const rows = filtered(all, place.where)
      try {
        return await finishSnapshot(place, `side-${randomUUID()}`, {
          facts: { job: 'compare', side, name, businessDate: null, mappingVersion: null, files: [name] },
          asOf: file.asOf,
          columns,
          totals: {},
          scope: { kind: 'all' },
          before: db => judgeCondition(db, all, place.where, name),
          select: `select ${[...picked, '_file', '_line', '_issue', '_raw'].join(', ')} from (${rows})`,
        })
      } catch (error) {
        throw conditionFailed(error, place.where, name)
      }
    },
    close: async () => {
      await spool.close()
      await rm(spool.path, { force: true })
    },
  }
}

/** An engine's refusal is the condition's fault where there is one: nothing else was written by hand. */
export function conditionFailed(error: unknown, where: string | null, name: string): unknown {
  const engine = error instanceof ReconcileError && error.code === 'RECONCILE_ENGINE_FAILED'
  return engine && where !== null ? whereInvalid(where, name, error) : error
}
