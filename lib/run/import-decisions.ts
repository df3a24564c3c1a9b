/**
 * Takes decisions about breaks from the mail's CSV: every line is checked against the run ledger first, all
 * problems are told at once, and either all decisions are taken or none. Reading the CSV's meaning is
 * reconcile/breaks/read-decisions.ts; what acknowledging means is acknowledge.ts.
 */
import path from 'node:path'
import {
  type Decision,
  type DecisionLine,
  type DecisionProblem,
  NEEDED_COLUMNS,
  readDecisions,
} from '../../reconcile/breaks/read-decisions.ts'
import type { Connection } from '../db/connection.ts'
import { type Person, waitingAcknowledgements } from '../ledger/break-ledger-acks.ts'
import { type LastingBreak, listBreaks } from '../ledger/break-ledger-list.ts'
import { unchangedSince } from '../ledger/break-values.ts'
import { ConfigError, TallymanError } from '../model/errors.ts'
import type { CsvSpec } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import { guessSpec } from '../parse/guess-spec.ts'
import { parseFile } from '../parse/parse-file.ts'
import { type Acknowledged, decideBreaks, samePerson } from './acknowledge.ts'
import type { Engine } from './engine.ts'

/** What is imported, and how. */
export interface ImportRequest {
  readonly engine: Engine
  readonly file: string
  readonly by: Person
  /** Checked, and nothing else. */
  readonly dryRun: boolean
  /** Turns what was typed as a date into one, in the calendar of the break's job. @throws TallymanError for what is none */
  readonly dateOf: (found: LastingBreak, typed: string) => string
}

/** What came of it. */
export interface Imported {
  readonly decisions: readonly Decision[]
  /** Lines without a decision. */
  readonly undecided: number
  /** Empty for a dry run. */
  readonly done: readonly Acknowledged[]
}

/** Most problems that a message lists; a sheet with more has one cause. */
const PROBLEMS_TOLD = 50

/**
 * Imports decisions; all of them or none.
 * @throws CONFIG_IMPORT_REFUSED with every problem and its line; CONFIG_IMPORT_UNREADABLE for what is no such CSV
 */
export async function importDecisions(request: ImportRequest): Promise<Imported> {
  const { engine, file, by, dryRun } = request
  const lines = await readLines(request)
  const { decisions, problems } = readDecisions(lines)
  const undecided = lines.length - lines.filter(({ cells }) => (cells.decision ?? '').trim() !== '').length
  const checked = await engine.database.use(connection => checkAll(connection, request, decisions))
  const all = [...problems, ...checked.problems].sort((a, b) => a.line - b.line)
  if (all.length > 0) throw refused(file, all)
  if (dryRun || decisions.length === 0) return { decisions, undecided, done: [] }
  return { decisions, undecided, done: await decideBreaks(engine, checked.decided, by) }
}

async function readLines({ engine, file }: ImportRequest): Promise<DecisionLine[]> {
  const { clock, log, signal } = engine
  const context: StepContext = { clock, log, signal, progress: () => {} }
  const name = path.basename(file)
  try {
    const guess = await guessSpec(file, { format: 'csv' }, context)
    const stream = parseFile(file, (guess as { spec: CsvSpec }).spec, { file: 0, neededColumns: {} }, context)
    const lines: DecisionLine[] = []
    for await (const { records, rejects } of stream.blocks) {
      const [broken] = rejects
      if (broken !== undefined) throw unreadable(name, `line ${broken.line}: ${broken.issues[0]!.message}`)
      const columns = stream
        .shapes()
        .get('record')!
        .map(column => column.trim().toLowerCase())
      const lacking = NEEDED_COLUMNS.filter(column => !columns.includes(column))
      if (lacking.length > 0) throw unreadable(name, `it lacks ${lacking.join(', ')}`)
      for (const { line, values } of records) {
        const cells = columns.map((column, i) => [column, String(values[i] ?? '')] as const)
        lines.push({ line, cells: Object.fromEntries(cells) })
      }
    }
    return lines
  } catch (error) {
    if (error instanceof TallymanError && error.step === 'parse') throw unreadable(name, error.message, error)
    throw error
  }
}

/** A decision that can be taken. */
export interface Decided {
  readonly found: LastingBreak
  readonly decision: Decision['decision']
  readonly until: string
  readonly reason: string
  readonly owner: string
}

async function checkAll(
  connection: Connection,
  request: ImportRequest,
  decisions: readonly Decision[],
): Promise<{ readonly decided: readonly Decided[]; readonly problems: readonly DecisionProblem[] }> {
  const identities = decisions.map(({ identity }) => identity)
  const known = await listBreaks(connection, { identities }, identities.length)
  const breaks = new Map(known.map(found => [found.identity, found]))
  const unchanged = await unchangedSince(connection, decisions)
  const waiting = await waitingAcknowledgements(connection, identities)
  const decided: Decided[] = []
  const problems: DecisionProblem[] = []
  for (const decision of decisions) {
    const { line, identity, reason, owner } = decision
    const found = breaks.get(identity)
    const until = { date: '' }
    const problem =
      found === undefined
        ? 'is about a break that this run ledger does not know'
        : check(request, found, decision, unchanged.has(identity), waiting.get(identity) ?? null, until)
    if (problem !== null) problems.push({ line, problem })
    else
      decided.push({
        ...{ found: found!, decision: decision.decision, until: until.date, reason },
        owner: owner === '' ? request.by.name : owner,
      })
  }
  return { decided, problems }
}

/** What speaks against a decision, null when nothing does. */
function check(
  { by, dateOf }: ImportRequest,
  found: LastingBreak,
  { decision, until, comparison }: Decision,
  unchanged: boolean,
  waitingBy: string | null,
  result: { date: string },
): string | null {
  if (comparison.reconciliation !== found.reconciliation)
    return `names a break of ${found.reconciliation}, and the comparison ${comparison.reconciliation}`
  if (found.course.state === 'resolved')
    return `is about a break that was resolved on ${found.course.stateSince}`
  if (!unchanged)
    return `is about values that are no longer so: the break has changed since comparison ${comparison.number} of ${comparison.date}`
  if (decision === 'unack')
    return found.acknowledgement === null && waitingBy === null ? 'takes back what nobody acknowledged' : null
  if (decision === 'confirm') {
    if (waitingBy === null) return 'confirms what nobody acknowledged, or what needs no second person'
    return samePerson(waitingBy, by.name)
      ? `is confirmed by ${by.name}, who acknowledged it: four eyes are those of two people`
      : null
  }
  try {
    result.date = dateOf(found, until)
  } catch {
    return `${JSON.stringify(until)} is no date: write it as 2026-12-01 or +5bd`
  }
  return result.date < found.asOf
    ? `ends on ${result.date}, before ${found.asOf}, the last night of ${found.reconciliation}`
    : null
}

function refused(file: string, problems: readonly DecisionProblem[]): ConfigError {
  const told = problems.slice(0, PROBLEMS_TOLD).map(({ line, problem }) => `line ${line} ${problem}`)
  const more = problems.length - told.length
  const rest = more > 0 ? `\n(${more} more)` : ''
  return new ConfigError(
    'CONFIG_IMPORT_REFUSED',
    `Nothing of ${path.basename(file)} was taken: ${problems.length} of its lines can't be meant. All decisions are taken together or none; correct these and import it again:\n${told.join('\n')}${rest}`,
    { details: { problems: told } },
  )
}

function unreadable(name: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(
    'CONFIG_IMPORT_UNREADABLE',
    `${name} is not the CSV of a mail's breaks with its decisions: ${why}. Nothing was taken.`,
    { cause },
  )
}
