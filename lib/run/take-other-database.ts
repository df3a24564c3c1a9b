/**
 * A side that is a query of another database of the environment: opened for this one picture, and closed
 * again. A Postgres is copied out like the target; all others are read through lib/db/other.
 */
import type { ComparedSide } from '../../reconcile/compare/gates.ts'
import { snapshotOtherDatabase } from '../../reconcile/sides/other-database-side.ts'
import type { AppliedScope } from '../../reconcile/snapshot/scope.ts'
import { rowsOfQuery, snapshotDatabase } from '../../reconcile/snapshot/target.ts'
import { Database } from '../db/database.ts'
import { openOther } from '../db/other/other-database.ts'
import type { StepContext } from '../model/progress.ts'
import type { SideInput } from './side-input.ts'

/** A statement may take this long on the server, as on the other kinds of databases. */
const STATEMENT_MS = 3_600_000

/** Opens the database of that name and takes the picture of what the query gives. */
export async function takeOtherDatabase(
  name: string,
  sql: string,
  { request, table, which }: SideInput,
  scope: AppliedScope,
  context: StepContext,
): Promise<ComparedSide> {
  const { engine, scheduled, businessDate } = request
  const place = { folder: engine.folders.snapshots, workFolder: engine.folders.work, signal: context.signal }
  const facts = {
    ...{ job: scheduled.job.name, side: which, name, businessDate, files: [] },
    mappingVersion: null,
  }
  const database = engine.environment.databases![name]!
  if (database.kind === 'postgres') {
    const opened = await Database.open((await engine.secrets(database.url)).reveal(), { clock: engine.clock })
    try {
      const session = { name: 'tallyman side', statementTimeoutMs: STATEMENT_MS, signal: context.signal }
      const connection = await opened.connect(session)
      try {
        return await snapshotDatabase(place, facts, connection, rowsOfQuery(sql, table, scope))
      } finally {
        await connection.close()
      }
    } finally {
      await opened.close()
    }
  }
  const password = 'password' in database ? await engine.secrets(database.password) : null
  const session = await openOther(name, database, password, context.signal)
  try {
    const query = { sql, table, zone: database.zone ?? 'UTC', scope }
    return await snapshotOtherDatabase(place, facts, session, query)
  } finally {
    await session.close()
  }
}
