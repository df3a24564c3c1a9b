/**
 * The changes of a plan that were not made, as lines for mail and summary: which row, which columns, why.
 * Values of personal columns are masked as everywhere in a mail. Pure.
 */
import { keyText } from '../../reconcile/resolve/sheets.ts'
import type { JobDefinition } from '../model/job.ts'
import type { AppliedChange, PlannedChange } from '../model/resolution.ts'
import { count } from '../report/figures.ts'
import { columnFacts } from '../report/mask.ts'

/** Lines that a mail has room for; the run ledger has all of them. */
const LINES_TOLD = 20

/** One line for each change that was refused or came too late, the first ones, and how many there are. */
export function refusedChanges(
  job: Pick<JobDefinition, 'map'>,
  changes: readonly PlannedChange[],
  applied: readonly AppliedChange[],
): string[] {
  const left = applied.filter(({ outcome }) => outcome === 'refused' || outcome === 'outdated')
  const lines = left.slice(0, LINES_TOLD).map(one => refusedLine(job, changes[one.position]!, one))
  return left.length > lines.length
    ? [
        ...lines,
        `${count(left.length)} changes of the plan were not made in all; breaks resolve --apply with the same plan lists them.`,
      ]
    : lines
}

/** Why a change was not made, in a sentence. */
export function refusedLine(
  job: Pick<JobDefinition, 'map'>,
  { key, table, operation, columns }: PlannedChange,
  { outcome, found }: AppliedChange,
): string {
  const facts = columnFacts(job.map)
  const shown = Object.fromEntries(
    Object.entries(key).map(([name, value]) => [name, facts.shown(name, value)]),
  )
  const row = `${table}, ${keyText(shown)}`
  if (outcome === 'outdated')
    return `Not changed: ${row}. A later load has written this row since, and older never overwrites newer.`
  if (operation === 'reload')
    return `Not reloaded: ${row}. The target has ${found === null ? 'another number of these rows' : 'a row of this key'} by now.`
  if (found === null) return `Not changed: ${row}. The target has no such row any more.`
  const moved = columns.flatMap(({ name, old }) =>
    found[name] === old
      ? []
      : [
          `${name} was ${facts.shown(name, old) ?? 'null'} and is ${facts.shown(name, found[name] ?? null) ?? 'null'} now`,
        ],
  )
  return `Not changed: ${row}. ${moved.join(', ')}: it was changed in the target since it was compared.`
}
