/**
 * `tallyman breaks import FILE`: decisions about breaks come back as the mail's CSV with its decision, until
 * and reason columns filled in. All are taken or none. The rules are lib/run/import-decisions.ts.
 */
import path from 'node:path'
import type { Session } from '../session.ts'
import { jsonDocument } from '../terminal.ts'
import { dateFor, personOf } from './breaks-ack.ts'
import { type BreakFlags, usage } from './breaks-flags.ts'
import { keyText } from './breaks-text.ts'

/** Imports, or with --dry-run only checks. Exit 0, also while second persons are waited for; 2 when anything is wrong. */
export async function importFile(
  session: Session,
  flags: BreakFlags,
  files: readonly string[],
): Promise<number> {
  const { terminal } = session
  const [file, another] = files
  if (file === undefined || another !== undefined) throw usage('breaks import takes one CSV')
  const { timetable } = await session.configuration()
  const engine = await session.engine()
  const { importDecisions } = await import('../../lib/run/import-decisions.ts')
  const dryRun = flags.dryRun === true
  const { decisions, undecided, done } = await importDecisions({
    ...{ engine, dryRun, by: personOf(flags) },
    file: path.resolve(session.workingDirectory, file),
    dateOf: (found, typed) => dateFor(timetable, found, typed),
  })
  const waiting = done.filter(({ waits }) => waits).length
  if (terminal.json) {
    const told = decisions.map(({ line, identity, decision, until, reason }) => ({
      ...{ line, id: identity, decision, until, reason },
    }))
    terminal.out(jsonDocument({ dryRun, decisions: told, undecided, waitsForConfirmation: waiting }))
    return 0
  }
  const what = dryRun ? 'can be taken' : 'taken'
  terminal.out(`${decisions.length} decisions ${what}; ${undecided} lines without one\n`)
  for (const { found, waits } of done) {
    const state = waits ? 'waits for another person' : found.shown.replaceAll('_', ' ')
    terminal.out(`${found.identity.slice(0, 8)}  ${found.reconciliation}  ${keyText(found)}: ${state}\n`)
  }
  return 0
}
