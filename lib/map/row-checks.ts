/**
 * Checks of whole rows, judged after all fields of the row were read: named pure functions and
 * Standard Schema validators alike.
 */
import { type Issue, issue } from '../model/issue.ts'
import type { Value } from '../model/table.ts'
import type { Row, RowCheck } from './plan.ts'
import { guarded } from './scalar.ts'
import { findings, isStandardSchema, type StandardSchema } from './standard-schema.ts'

function judgeByFunction(check: RowCheck, row: Row, issues: Issue[]): void {
  const complaint = guarded(() => check.test(row))
  if (complaint === null) return
  const field = check.fields?.[0] ?? null
  const message = typeof complaint === 'string' ? complaint : complaint.message
  const code = typeof complaint === 'string' ? 'MAP_CHECK_REFUSED' : complaint.code
  issues.push(issue(code, `The record ${message} (${check.name}).`, { field }))
}

function judgeBySchema(schema: StandardSchema, row: Row, issues: Issue[]): void {
  const found = guarded(() => findings(schema, row))
  if (!Array.isArray(found)) {
    const { code, message } = found as { readonly code: string; readonly message: string }
    issues.push(issue(code, `The record ${message}.`))
    return
  }
  for (const { message, field } of found)
    issues.push(issue('MAP_CHECK_REFUSED', `The record is refused: ${message}.`, { field }))
}

/** A judge of rows given as values in the order of `fields`. */
export function rowJudge(
  fields: readonly string[],
  checks: readonly (RowCheck | StandardSchema)[],
): (row: readonly Value[], issues: Issue[]) => void {
  return (values, issues) => {
    const row: Record<string, Value> = {}
    for (let index = 0; index < fields.length; index += 1) row[fields[index]!] = values[index]!
    for (const check of checks) {
      if (isStandardSchema(check)) judgeBySchema(check, row, issues)
      else judgeByFunction(check, row, issues)
    }
  }
}
