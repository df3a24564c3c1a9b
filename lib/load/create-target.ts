/**
 * Creates missing target tables (`--create-target`). Existing tables are left as they are: changing
 * them is a decision, for which target-check.ts prints the statements.
 */
import type { Connection } from '../db/connection.ts'
import { introspect } from '../db/introspect.ts'
import type { PostgresLoad } from '../model/job.ts'
import { createTableDdl } from './ddl.ts'
import { schemaExists } from './read-target.ts'
import { type TargetTable, targetTable } from './target-table.ts'

/** The tables of a load with their roles, in declared order. */
export function targetTables(spec: PostgresLoad): TargetTable[] {
  return Object.entries(spec.tables).map(([alias, table]) => targetTable(alias, table, spec.scope))
}

/**
 * Creates the tables of the load that do not exist, in one transaction, and gives the statements it ran
 * (none when all exist).
 */
export async function createTarget(connection: Connection, spec: PostgresLoad): Promise<string[]> {
  return await connection.transaction(async () => {
    const ran: string[] = []
    for (const table of targetTables(spec)) {
      if ((await introspect(connection, table.definition)) !== null) continue
      const exists = await schemaExists(connection, table.definition.schema)
      for (const statement of createTableDdl(table, exists)) {
        await connection.query(statement)
        ran.push(statement)
      }
    }
    return ran
  })
}
