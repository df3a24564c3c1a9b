/**
 * A query of a Postgres as a side: its rows are copied out in one read-only transaction, its declared
 * types are kept.
 */
import { ConfigError } from '../../lib/model/errors.ts'
import { snapshotColumns, type ValueKind } from '../snapshot/columns.ts'
import { type CopySession, snapshotDatabase } from '../snapshot/target.ts'
import type { OpenedSide, SidePlace } from './opened-side.ts'

/** A session that can also say which columns a query gives. */
export interface DescribingSession extends CopySession {
  /** Names and type numbers (pg_type.oid). */
  describe(sql: string): Promise<readonly { readonly name: string; readonly dataTypeID: number }[]>
  close(): Promise<void>
}

/** Type numbers of Postgres whose text promises something. A timestamp without zone is taken as UTC. */
const KINDS: Readonly<Record<number, ValueKind>> = {
  16: 'boolean',
  20: 'integer',
  21: 'integer',
  23: 'integer',
  1082: 'date',
  1114: 'timestamp',
  1184: 'timestamp',
  1700: 'decimal',
}

/** Opens a query. @throws CONFIG_QUERY_INVALID when the database refuses it; CONFIG_WHERE_INVALID for a condition beside it. */
export async function openQuerySide(
  place: SidePlace,
  sql: string,
  session: DescribingSession,
): Promise<OpenedSide> {
  const name = `postgres:${sql.length > 60 ? `${sql.slice(0, 60)}…` : sql}`
  if (place.where !== null) {
    throw new ConfigError(
      'CONFIG_WHERE_INVALID',
      `where=${place.where} stands beside a query; write it into the query. Nothing was compared.`,
    )
  }
  const columns = await session.describe(sql).catch(cause => {
    const told = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(
      'CONFIG_QUERY_INVALID',
      `The database refuses the query of ${name}: ${told}. Nothing was compared.`,
      { cause },
    )
  })
  const kindOf = (own: string): ValueKind | null =>
    KINDS[columns.find(column => column.name === own)!.dataTypeID] ?? null
  return {
    name,
    notes: [],
    columns: columns.map(column => ({ name: column.name, kind: kindOf(column.name) })),
    take: async (side, taken) => {
      const stored = snapshotColumns(
        taken.map(column => ({ name: column.name, kind: kindOf(column.own) ?? 'text' })),
      )
      const facts = { job: 'compare', side, name, businessDate: null, mappingVersion: null, files: [] }
      return snapshotDatabase(place, facts, session, {
        columns: stored.map((column, i) => ({ ...column, sqlName: taken[i]!.own })),
        totals: {},
        from: `(\n${sql}\n) as side`,
        scope: { kind: 'all' },
      })
    },
    close: () => session.close(),
  }
}
