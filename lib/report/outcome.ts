/**
 * The words at the top of a mail: how the night ended, what happened in one sentence that an
 * accountant understands, what to do, and what happens next. Nothing here knows about layout.
 */
import { type Failure, failureAction } from './failure-words.ts'
import { amountOf, count, money, plural } from './figures.ts'
import type { ComparisonReport, NightReport, NightReportInput, Status } from './night-report.ts'
import { plainKind } from './plain-words.ts'

/** A report before its words. */
export type Facts = Omit<NightReport, 'status' | 'headline' | 'action' | 'commands'>

/** How the night ended: the worst that holds. */
export function statusOf(state: NightReportInput['state'], facts: Facts): Status {
  if (state === 'failed' || facts.failure !== null) return 'FAILED'
  if (state === 'nothing-to-do') return 'NOTHING TO DO'
  const outcomes = facts.comparisons.map(({ outcome }) => outcome)
  if (outcomes.includes('INCONCLUSIVE')) return 'INCONCLUSIVE'
  if (outcomes.includes('BREAKS')) return 'BREAKS'
  if (facts.rejectsTotal > 0 || facts.failedUnits.length > 0) return 'REJECTS'
  // Clean is a proof: a job that compares nothing can't say it.
  return outcomes.length === 0 ? 'LOADED' : 'CLEAN'
}

/** What happened, in one or two sentences. */
export function headlineOf(status: Status, facts: Facts): string {
  const date = facts.run.businessDate
  switch (status) {
    case 'FAILED':
      return failedHeadline(facts)
    case 'NOTHING TO DO': {
      const names = facts.files.map(({ name }) => name)
      if (names.length === 0) return `Nothing new came for ${date}.`
      const subject =
        names.length === 1
          ? `${names[0]} is`
          : names.length === 2
            ? 'both files are'
            : `all ${count(names.length)} files are`
      return `Nothing new came for ${date}: ${subject} the same as what is already loaded. Nothing was changed.`
    }
    case 'INCONCLUSIVE': {
      const gate = facts.comparisons.flatMap(({ gates }) => gates).find(({ state }) => state === 'failed')
      const why = gate === undefined ? '' : ` ${sentence(gate.message)}`
      return `The two sides could not be compared for ${date}, so nothing is proved, neither right nor wrong.${why}`
    }
    case 'BREAKS':
      return `${facts.resolution === true ? `${planWords(facts)}. ` : ''}${breaksHeadline(facts)}${rejectsAddition(facts)}`
    case 'REJECTS':
      return rejectsHeadline(facts)
    case 'CLEAN':
    case 'LOADED':
      return cleanHeadline(facts)
  }
}

function failedHeadline(facts: Facts): string {
  const date = facts.run.businessDate
  const step = facts.failure?.step ?? 'run'
  const untouched = facts.published ? '' : ' Nothing was published.'
  switch (step) {
    case 'fetch':
      if (facts.failure?.code === 'FETCH_FILE_MISSING') return `No file came for ${date}.${untouched}`
      return `The files of ${date} did not arrive as they should.${untouched}`
    case 'parse':
      return `The files of ${date} can't be read as what they were declared to be.${untouched}`
    case 'map':
      return `Too much of the data of ${date} is unusable.${untouched}`
    case 'load':
      return `The load of ${date} did not succeed.`
    case 'reconcile':
      return facts.published
        ? `The data of ${date} was loaded, but it could not be checked.`
        : `The data of ${date} could not be checked.`
    case 'report':
      return `The data of ${date} was loaded and checked, but its report could not be made.`
    default:
      return `The run for ${date} could not be finished.${facts.published ? ' Its data was loaded.' : untouched}`
  }
}

function breaksHeadline(facts: Facts): string {
  const date = facts.run.businessDate
  const broken = facts.comparisons.filter(({ outcome }) => outcome === 'BREAKS')
  const total = broken.reduce((sum, { breaksTotal }) => sum + breaksTotal, 0)
  const risk = riskOf(facts.comparisons)
  const atRisk = risk === '' ? '' : ` At risk: ${risk}.`
  const failing = failingWords(broken)
  if (broken.length !== 1) {
    return `On ${date}, ${count(broken.length)} of ${plural(facts.comparisons.length, 'comparison')} found ${plural(total, 'difference')}.${atRisk}${failing}`
  }
  const { left, right } = broken[0]!
  const rows = Math.max(left.rows, right.rows)
  return `On ${date}, ${left.name} and ${right.name} differ in ${count(total)} of ${plural(rows, 'row')}.${atRisk}${failing}`
}

/** Which kinds are above the limit of a failure, rather than of a warning; empty for none. */
function failingWords(broken: readonly ComparisonReport[]): string {
  const kinds = broken.flatMap(({ verdicts, left, right }) =>
    verdicts
      .filter(({ severity }) => severity === 'fail')
      .map(({ kind }) => plainKind(kind, { left: left.name, right: right.name })),
  )
  return kinds.length === 0 ? '' : ` Not only a warning: ${joined([...new Set(kinds)])}.`
}

/** `EUR 1,240.00 and USD 3.10`, `up to` when several comparisons may speak of the same money; empty for none. */
export function riskOf(comparisons: readonly ComparisonReport[]): string {
  const risky = comparisons.filter(({ atRisk }) => atRisk.length > 0)
  const [first, ...others] = risky
  if (first === undefined) return ''
  const worst = others.reduce((a, b) => (b.breaksTotal > a.breaksTotal ? b : a), first)
  const amounts = worst.atRisk.slice(0, 3).map(amountOf)
  const more = worst.atRisk.length - amounts.length
  const rest = plural(more, 'more currency', 'more currencies')
  const listed = more === 0 ? joined(amounts) : `${amounts.join(', ')} and ${rest}`
  return others.length === 0 ? listed : `${listed} and more`
}

function rejectsAddition({ rejectsTotal }: Facts): string {
  if (rejectsTotal === 0) return ''
  return ` ${plural(rejectsTotal, 'record')} ${rejectsTotal === 1 ? 'was' : 'were'} refused.`
}

function rejectsHeadline(facts: Facts): string {
  const date = facts.run.businessDate
  const read = facts.laws[0]?.whole.value ?? facts.rejectsTotal
  const others = read - facts.rejectsTotal
  const rest =
    others <= 0 ? 'nothing is loaded' : others === 1 ? 'the other is loaded' : 'the others are loaded'
  const refused = `${count(facts.rejectsTotal)} of ${plural(read, 'record')} of ${date} ${facts.rejectsTotal === 1 ? 'was' : 'were'} refused; ${rest}.`
  const [unit] = facts.failedUnits
  if (unit === undefined) return refused
  if (facts.failedUnits.length > 1) {
    return `${plural(facts.failedUnits.length, facts.unitName)} of ${date} do not tie and were kept out whole. ${refused}`
  }
  const by = joined(unit.differences.map(({ group, difference }) => money(group, difference)))
  const why = by === '' ? unit.remarks.join(', ') : `the difference is ${by}`
  return `The ${facts.unitName} ${unit.unit} of ${date} does not tie: ${why}. It was kept out whole. ${refused}`
}

function cleanHeadline(facts: Facts): string {
  const loaded =
    facts.resolution === true ? planWords(facts) : loadedWords(loadedRecords(facts), facts.run.businessDate)
  if (facts.comparisons.length === 0) {
    return `${loaded}. This job declares no comparison, so what the target holds is not proved.`
  }
  const found = facts.comparisons.reduce((sum, { breaksTotal }) => sum + breaksTotal, 0)
  if (found > 0) {
    const first = facts.comparesOnly ? `For ${facts.run.businessDate}, the` : `${loaded}. The`
    return `${first} comparison found ${plural(found, 'difference')}, which ${found === 1 ? 'is' : 'are'} within the declared limits.${resolvedWords(facts)}`
  }
  const agreed = `${agreement(facts.comparisons)}.${resolvedWords(facts)}`
  return facts.comparesOnly ? `For ${facts.run.businessDate}, ${agreed}` : `${loaded}, and ${agreed}`
}

/** That two sides agree, and in how much. */
function agreement(comparisons: readonly ComparisonReport[]): string {
  const [first, ...others] = comparisons as [ComparisonReport, ...ComparisonReport[]]
  const { left, right, proof } = first
  const proved = proof.length === 0 ? '' : ', to the last digit'
  const more =
    others.length === 0 ? '' : `. ${plural(others.length, 'further comparison')} found no difference either`
  return `${left.name} and ${right.name} agree in ${plural(Math.max(left.rows, right.rows), 'row')}${proved}${more}`
}

/** What became of earlier differences; empty when there were none. */
function resolvedWords({ comparisons }: Facts): string {
  const total = comparisons.reduce((sum, { changes }) => sum + changes.resolved, 0)
  if (total === 0) return ''
  const causes = new Map<string, number>()
  for (const { cause } of comparisons.flatMap(({ resolved }) => resolved))
    causes.set(cause, (causes.get(cause) ?? 0) + 1)
  const who = [...causes].map(([cause, times]) => (causes.size === 1 ? cause : `${count(times)} ${cause}`))
  return ` ${plural(total, 'earlier difference')} ${total === 1 ? 'is' : 'are'} resolved: ${joined(who)}.`
}

/** Records of a night without rejects that are loaded: those read, without those left out on purpose. */
export function loadedRecords({ laws }: Pick<Facts, 'laws'>): number {
  const filtered = laws[0]?.parts.find(({ label }) => label === 'filtered')?.value ?? 0
  return (laws[0]?.whole.value ?? 0) - filtered
}

/** A plan is told by its changes: what was loaded is not files. */
function planWords({ laws, run }: Facts): string {
  const changes = laws[0]?.whole.value ?? 0
  const made = loadedRecords({ laws })
  const of = made === changes ? '' : ` of ${count(changes)}`
  return `${count(made)}${of} ${changes === 1 ? 'change' : 'changes'} of a plan ${made === 1 ? 'is' : 'are'} applied to ${run.businessDate}`
}

function loadedWords(records: number, date: string): string {
  if (records === 0) return `There was no record to load for ${date}`
  return records === 1
    ? `The one record of ${date} is loaded`
    : `All ${count(records)} records of ${date} are loaded`
}

/** What the reader is to do. */
export function actionOf(status: Status, facts: Facts, failure: Failure | null, reloadable: boolean): string {
  switch (status) {
    case 'CLEAN':
    case 'LOADED':
    case 'NOTHING TO DO':
      return 'Nothing to do.'
    case 'FAILED':
      return failure === null ? 'Read the log: the run ended without saying why.' : failureAction(failure)
    case 'INCONCLUSIVE':
      return 'Put right what is named under Checks before comparing, then compare again with the first command at the end.'
    case 'BREAKS':
      if (allAcknowledged(facts.comparisons))
        return 'Nothing to do: somebody stands for each difference below until the date that it names.'
      if (facts.comparesOnly)
        return 'Decide for each difference below which side is right, and have the other side corrected. The first command compares again.'
      return `Decide for each difference below which side is right. Where the file is wrong, ask its sender for a corrected one; where it is right, ${reloadable ? 'load it again with the second command at the end' : 'have the other side corrected'}. The first command compares again.`
    case 'REJECTS': {
      const ask =
        facts.failedUnits.length > 0
          ? `Ask the sender for a file in which the ${facts.unitName} adds up.`
          : 'Ask the sender to correct the records below and to send the file again.'
      return `${ask} A corrected file is taken by itself at the next night's run; at once with the first command at the end.`
    }
  }
}

/** Whether there are open differences, and somebody stands for every one of them. */
export function allAcknowledged(comparisons: readonly ComparisonReport[]): boolean {
  const sum = (of: (changes: ComparisonReport['changes']) => number): number =>
    comparisons.reduce((total, { changes }) => total + of(changes), 0)
  const open = sum(changes => changes.new + changes.persisting + changes.changed + changes.reopened)
  return open === 0 && sum(({ acknowledged }) => acknowledged) > 0
}

function joined(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
