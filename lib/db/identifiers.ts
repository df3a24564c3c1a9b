/**
 * Names in SQL text: checked one by one against the plain-name rule, then quoted. Values never come
 * here; they are parameters.
 */
import { BugError } from '../model/errors.ts'

/** delivery.md, Security: what a schema, table or column may be called. */
const PLAIN_NAME = /^[a-z_][a-z0-9_]{0,62}$/

/** The name unchanged. @throws BUG_SQL_NAME when it is no plain SQL name: the edge should have refused it. */
export function checkedName(name: string): string {
  if (!PLAIN_NAME.test(name)) {
    throw new BugError(
      'BUG_SQL_NAME',
      `${JSON.stringify(name)} came as far as an SQL statement and is no plain SQL name. The statement was not sent.`,
    )
  }
  return name
}

/** `"name"`. @throws BUG_SQL_NAME */
export function quoted(name: string): string {
  return `"${checkedName(name)}"`
}

/** `"schema"."table"`. @throws BUG_SQL_NAME */
export function quotedTable(table: { readonly schema: string; readonly name: string }): string {
  return `${quoted(table.schema)}.${quoted(table.name)}`
}

/** `"a", "b"`. @throws BUG_SQL_NAME */
export function quotedList(names: readonly string[]): string {
  return names.map(quoted).join(', ')
}
