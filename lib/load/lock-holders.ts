/**
 * Who is in the way of a load that waits for a lock for too long: sessions with locks on its target
 * tables, on the tables those refer to, or with the advisory lock of another load. The night then says
 * whom to ask. How long a load waits: lock-targets.ts.
 */
import type { Connection } from '../db/connection.ts'
import { LoadError, RunError } from '../model/errors.ts'
import type { TargetTable } from './target-table.ts'

/** Holders that a message names. */
const NAMED = 5

interface Holder {
  readonly pid: number
  readonly application: string
  readonly user: string | null
  readonly state: string | null
  /** Begin of its transaction, ISO; null where we may not see it. */
  readonly since: string | null
}

/**
 * Sessions whose locks conflict with ours, oldest first. On a target any writer is in the way, and whoever
 * waits there for more than that; on a table that a target refers to, whoever locked rows or all of it.
 * Roles without pg_read_all_stats do not see when others began.
 */
const HOLDERS = `
WITH target AS (SELECT name, name::regclass AS oid, hashtextextended('tallyman.target ' || plain, 0) AS load
  FROM unnest($1::text[], $2::text[]) t(name, plain)),
parent AS (SELECT f.confrelid AS oid FROM pg_constraint f JOIN target t ON f.conrelid = t.oid
  WHERE f.contype = 'f' AND f.confrelid NOT IN (SELECT oid FROM target))
SELECT a.pid, a.application_name AS application, a.usename AS "user", a.state,
  to_char(min(a.xact_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.pid <> pg_backend_pid() AND (
  (l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.mode <> 'AccessShareLock' AND (
      (l.relation IN (SELECT oid FROM target) AND l.mode <> 'RowShareLock')
      OR (l.relation IN (SELECT oid FROM parent) AND l.granted)))
  OR (l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
    AND (l.classid::bigint << 32 | l.objid::bigint) IN (SELECT load FROM target)))
GROUP BY 1, 2, 3, 4 ORDER BY min(a.xact_start) NULLS LAST, 1`

/**
 * Runs `work` in a savepoint; a lock that it does not get in time is told with its holders.
 * @throws LOAD_TARGET_LOCKED
 */
export async function lockedBy<T>(
  connection: Connection,
  tables: readonly TargetTable[],
  waitMs: number,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await connection.savepoint(work)
  } catch (error) {
    if (!(error instanceof RunError && error.code === 'RUN_DATABASE_LOCK_TIMEOUT')) throw error
    const { rows } = await connection.query<Holder>(HOLDERS, [
      tables.map(({ sql }) => sql),
      tables.map(({ name }) => name),
    ])
    throw locked(tables, waitMs, rows, error)
  }
}

function locked(
  tables: readonly TargetTable[],
  waitMs: number,
  holders: readonly Holder[],
  cause: RunError,
): LoadError {
  const names = tables.map(({ name }) => name).join(', ')
  const shown = holders.slice(0, NAMED).map(sentence)
  const more = holders.length > NAMED ? ` and ${holders.length - NAMED} more` : ''
  const who =
    shown.length === 0
      ? 'Whoever held it has let go meanwhile'
      : `In the way: ${shown.join('; ')}${more}. End that transaction, or the session with pg_terminate_backend`
  return new LoadError(
    'LOAD_TARGET_LOCKED',
    `A lock for the load into ${names} was not granted within ${waitMs / 1000} s. ${who}. Nothing was loaded; it is tried again.`,
    {
      retry: 'backoff',
      details: { tables: tables.map(({ name }) => name), waitMs, holders: holders.map(sentence) },
      cause,
    },
  )
}

function sentence({ pid, application, user, state, since }: Holder): string {
  const who = [application || 'without a name', user === null ? null : `user ${user}`]
  const doing = [state, since === null ? null : `in its transaction since ${since}`]
  return `session ${pid} (${[...who, ...doing].filter(part => part !== null).join(', ')})`
}
