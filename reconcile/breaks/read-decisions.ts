/**
 * The mail's CSV of breaks as it comes back from a spreadsheet: decisions by break, and everything that
 * can't be meant, with line numbers. Columns may have moved, lines may be gone or sorted anew, quoting and
 * delimiter may be others. Pure; whether a decision can be taken is lib/run/import-decisions.ts.
 */

/** What can be decided in a CSV. */
export const DECISIONS = ['ack', 'unack', 'confirm'] as const
export type DecisionWord = (typeof DECISIONS)[number]

/** One decision about one break. */
export interface Decision {
  /** First line of the file that has it. */
  readonly line: number
  readonly identity: string
  readonly decision: DecisionWord
  /** As typed; empty where it is left open. */
  readonly until: string
  readonly reason: string
  /** Who stands for it; empty: who says so. */
  readonly owner: string
  /** The comparison that the CSV tells of: reconciliation, business date, number. */
  readonly comparison: { readonly reconciliation: string; readonly date: string; readonly number: number }
}

/** Something that can't be meant. */
export interface DecisionProblem {
  readonly line: number
  readonly problem: string
}

/** A line of the file, by column. */
export interface DecisionLine {
  readonly line: number
  readonly cells: Readonly<Record<string, string>>
}

/** Columns without which nothing can be decided. */
export const NEEDED_COLUMNS = ['decision', 'until', 'reason', 'identity', 'comparison'] as const

/** Other words that people write. */
const WORDS: Readonly<Record<string, DecisionWord>> = {
  ack: 'ack',
  acknowledge: 'ack',
  acknowledged: 'ack',
  unack: 'unack',
  'take back': 'unack',
  confirm: 'confirm',
  confirmed: 'confirm',
}

const COMPARISON = /^(.+)@(\d{4}-\d{2}-\d{2})#(\d{1,9})$/

/** The decisions of the lines that have one; those of one break must agree. */
export function readDecisions(lines: readonly DecisionLine[]): {
  readonly decisions: readonly Decision[]
  readonly problems: readonly DecisionProblem[]
} {
  const decisions = new Map<string, Decision>()
  const problems: DecisionProblem[] = []
  for (const { line, cells } of lines) {
    const typed = cell(cells.decision)
    if (typed === '') continue
    const decision = decisionOf(line, cells, typed)
    if (typeof decision === 'string') {
      problems.push({ line, problem: decision })
      continue
    }
    const known = decisions.get(decision.identity)
    if (known === undefined) decisions.set(decision.identity, decision)
    else if (!agree(known, decision))
      problems.push({ line, problem: `says otherwise than line ${known.line} about the same break` })
  }
  return { decisions: [...decisions.values()], problems }
}

/** The decision of a line, or what is wrong with it. */
function decisionOf(line: number, cells: DecisionLine['cells'], typed: string): Decision | string {
  const decision = WORDS[typed.toLowerCase()]
  if (decision === undefined)
    return `${JSON.stringify(typed)} is no decision: write ${DECISIONS.join(', ')}, or nothing`
  const identity = cell(cells.identity).toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(identity))
    return `${JSON.stringify(cell(cells.identity))} is no id of a break: the spreadsheet changed it, or it was typed`
  const match = COMPARISON.exec(cell(cells.comparison))
  if (match === null) return 'does not say which comparison it tells of: the column comparison was changed'
  const [until, reason] = [cell(cells.until), cell(cells.reason)]
  if (decision === 'ack' && reason === '') return 'has no reason'
  if (decision === 'ack' && until === '') return 'has no date until which it holds'
  if (decision === 'confirm' && (reason !== '' || until !== ''))
    return 'confirms what another person said, so it takes neither reason nor until'
  return {
    ...{ line, identity, decision, until: plainDate(until), reason, owner: cell(cells.owner) },
    comparison: { reconciliation: match[1]!, date: match[2]!, number: Number(match[3]) },
  }
}

function agree(a: Decision, b: Decision): boolean {
  return a.decision === b.decision && a.until === b.until && a.reason === b.reason && a.owner === b.owner
}

/** A cell without blanks around it and without the `'` that keeps spreadsheets from running it. */
function cell(text: string | undefined): string {
  const trimmed = (text ?? '').trim()
  return /^'[=+\-@\t\r]/.test(trimmed) ? trimmed.slice(1).trim() : trimmed
}

/** German spreadsheets write dates their own way; `+5bd` and the like stay. */
function plainDate(text: string): string {
  const match = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(text)
  if (match === null) return text
  return `${match[3]}-${match[2]!.padStart(2, '0')}-${match[1]!.padStart(2, '0')}`
}
