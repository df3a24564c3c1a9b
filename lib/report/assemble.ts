/**
 * NightReportInput -> NightReport: the one place where a mail's facts are put together, masked and
 * redacted. Pure. Sentences come from outcome.ts, comparisons from assemble-comparison.ts.
 */
import type { TallymanError } from '../model/errors.ts'
import type { Reject } from '../model/issue.ts'
import type { LoadResult } from '../model/run.ts'
import { comparisonReport } from './assemble-comparison.ts'
import { type CommandFacts, commandsFor } from './commands.ts'
import { nextOf, waitsForFile } from './failure-words.ts'
import { count, instant, plural } from './figures.ts'
import { type ColumnFacts, columnFacts } from './mask.ts'
import type {
  ComparisonReport,
  FailureReport,
  FileReport,
  Law,
  NightReport,
  NightReportInput,
  RejectLine,
} from './night-report.ts'
import { actionOf, headlineOf, statusOf } from './outcome.ts'
import type { ShadowReport } from './shadow-words.ts'

/** What keeps secrets out of texts (lib/log/redactor.ts). */
export interface Redaction {
  redact(text: string): string
}

/**
 * The report of one night of one job.
 * Guarantee: pure; no value of a personal or sensitive column and no known secret is in it.
 */
export function nightReport(input: NightReportInput, redaction: Redaction): NightReport {
  const columns = columnFacts(input.job.map)
  const comparisons = input.comparisons.map(({ result, history }) =>
    comparisonReport(result, history, columns),
  )
  const rejectsTotal = input.load?.counts.rejected ?? input.rejects.length
  const unitRule = input.job.map.unit
  const partial = {
    job: {
      name: input.job.name,
      purpose: input.job.purpose,
      owner: input.job.owner,
      ifLate: input.job.ifLate,
    },
    run: input.run,
    attempt: input.attempt,
    trigger: input.trigger,
    revision: input.revision,
    ...(input.resolution === true ? { resolution: true } : {}),
    comparison: input.comparison,
    environment: input.environment,
    at: input.at,
    replacesReport: input.replacesReport,
    comparesOnly: input.job.shadow !== undefined,
    shadow: shadowOf(input),
    published: input.published,
    failure: input.failure === null ? null : failureReport(input, redaction),
    files: input.files.map(file => fileReport(file, input)),
    warnings: input.warnings.map(warning => redaction.redact(warning)),
    steps: input.steps,
    laws: input.load === null ? [] : laws(input.load),
    totals: input.load?.totals ?? [],
    filters: input.load?.filters ?? [],
    rejectsTotal,
    rejectsHeld: input.rejects.length,
    rejectsByCode: input.rejectsByCode,
    rejects: rejectLines(input.rejects, input.files, columns),
    unitName: unitRule?.name ?? 'unit',
    unitLaw: unitRule?.law ?? '',
    failedUnits: input.failedUnits.map(unit => ({
      file: fileName(unit.file, input.files),
      unit: unit.unit,
      records: unit.records,
      differences: unit.differences,
      remarks: [
        ...unit.missing.map(label => `${label} missing`),
        ...unit.repeated.map(label => `${label} stated more than once`),
        ...(unit.rejectedRecords === 0 ? [] : [`${plural(unit.rejectedRecords, 'record')} unreadable`]),
      ],
    })),
    comparisons,
  }
  const status = statusOf(input.state, partial)
  const has = commandFacts(input, rejectsTotal, comparisons)
  return {
    ...partial,
    status,
    headline: headlineOf(status, partial),
    action: actionOf(
      status,
      partial,
      input.failure === null ? null : { ...input.failure, published: input.published },
      has.reloadable,
    ),
    commands: commandsFor(status, input.run, has),
  }
}

function shadowOf({ job: { shadow }, row }: NightReportInput): ShadowReport | null {
  return shadow === undefined || shadow === null || row === undefined || row === null
    ? null
    : { ...shadow, ...row }
}

function commandFacts(
  input: NightReportInput,
  rejectsTotal: number,
  comparisons: readonly ComparisonReport[],
): CommandFacts {
  const { job, failure, files } = input
  return {
    rejects: rejectsTotal > 0,
    comparison: input.comparisons.length > 0,
    applied: input.published,
    waitsForFile: waitsForFile(input),
    aboutTheFile: failure !== null && ['parse', 'map'].includes(failure.error.step),
    // An API is sent the same rows only when somebody has decided that; the runbook says when.
    reloadable:
      job.shadow === undefined &&
      job.load?.kind !== 'api' &&
      !(job.load?.mode === 'append' && job.load.scope === null),
    resolvable: input.resolvable === true,
    firstBreak: comparisons.find(({ breaks }) => breaks.length > 0)?.breaks[0]?.identity ?? null,
    archived: files.find(({ archived }) => archived !== undefined)?.archived ?? null,
  }
}

function failureReport(input: NightReportInput, redaction: Redaction): FailureReport {
  const { error } = input.failure!
  const place = (page: string) => (input.docsUrl === null ? `docs/${page}` : `${input.docsUrl}/${page}`)
  const { said, toCopy } = partsOf(error)
  // A number that the sentences name is worth a line of its own; a text is not.
  const repeated = (value: unknown): boolean =>
    typeof value !== 'number' && [value].flat().every(item => error.message.includes(String(item)))
  return {
    code: error.code,
    step: error.step,
    message: redaction.redact(said),
    toCopy: redaction.redact(toCopy),
    next: nextOf({ ...input.failure!, published: input.published }),
    facts: Object.entries(error.details)
      .filter(([, value]) => value !== null && value !== '' && !repeated(value))
      .map(([name, value]) => ({
        name,
        value: redaction.redact(Array.isArray(value) ? value.join(', ') : String(value)),
      })),
    links: [
      { label: `What ${error.code} means and who acts`, target: place('errors.md') },
      { label: 'Runbook, by symptom', target: place('runbook.md') },
    ],
  }
}

/**
 * The sentences of an error, and what of it is to be copied as it stands: a list of its details that
 * the message repeats line by line. Only those line breaks are ours; any other may be from outside.
 */
function partsOf({ message, details }: TallymanError): { said: string; toCopy: string } {
  const lists = Object.values(details).map(value => (Array.isArray(value) ? value.join('\n') : ''))
  const toCopy = lists.find(list => list !== '' && message.includes(`\n${list}`)) ?? ''
  if (toCopy === '') return { said: message.trim(), toCopy: '' }
  const [before = '', after = ''] = message.split(`\n${toCopy}`)
  return {
    said: [before, after]
      .map(part => part.trim())
      .join(' ')
      .trim(),
    toCopy,
  }
}

function fileReport(file: NightReportInput['files'][number], input: NightReportInput): FileReport {
  const replaced = input.replaces.filter(({ by }) => by === file.name)
  if (replaced.length === 0) return { ...file, replaces: '' }
  const names = replaced.map(({ name, receivedAt }) => `${name} received ${instant(receivedAt)}`)
  // The verdict's own note says less of the same.
  return { ...file, note: '', replaces: `replaces ${names.join(' and ')}${effectOf(input)}` }
}

function effectOf({ load, published, state }: NightReportInput): string {
  if (load === null || state !== 'done') return ''
  if (!published) return ': nothing was published'
  const sum = (name: 'deleted' | 'inserted' | 'updated') =>
    load.tables.reduce((total, table) => total + table[name], 0)
  const updated = sum('updated')
  const parts = [
    `${plural(sum('deleted'), 'row')} deleted`,
    ...(updated === 0 ? [] : [`${count(updated)} updated`]),
    `${count(sum('inserted'))} inserted`,
  ]
  return `: ${parts.join(', ')}`
}

/** The laws of delivery.md with this load's numbers. */
export function laws(load: LoadResult): Law[] {
  const { read, mapped, rejected, filtered } = load.counts
  const tables = load.tables.map(table =>
    law(
      table.table,
      { label: 'mapped rows', value: table.mapped },
      [
        { label: 'inserted', value: table.inserted },
        { label: 'updated', value: table.updated },
        { label: 'unchanged', value: table.unchanged },
        { label: 'collapsed', value: table.collapsed },
        { label: 'outdated', value: table.outdated },
      ],
      [{ label: 'deleted', value: table.deleted }],
    ),
  )
  const records = law('records', { label: 'read', value: read }, [
    { label: 'mapped', value: mapped },
    { label: 'rejected', value: rejected },
    { label: 'filtered', value: filtered },
  ])
  return [records, ...tables]
}

function law(subject: string, whole: Law['whole'], parts: Law['parts'], apart: Law['apart'] = []): Law {
  const sum = parts.reduce((total, part) => total + part.value, 0)
  return { subject, whole, parts, apart, holds: sum === whole.value }
}

function fileName(position: number, files: NightReportInput['files']): string {
  return files[position]?.name ?? `file ${position + 1}`
}

/** One line per issue of each reject, masked. */
export function rejectLines(
  rejects: readonly Reject[],
  files: NightReportInput['files'],
  columns: ColumnFacts,
): RejectLine[] {
  return rejects.flatMap(reject =>
    reject.issues.map(found => {
      const shown = columns.shownIssue(found)
      return {
        file: fileName(reject.file, files),
        line: reject.line,
        step: reject.step,
        unit: reject.unit,
        code: shown.code,
        column: shown.column,
        field: shown.field,
        value: shown.value,
        rule: shown.message,
        raw: columns.shownRaw(reject.raw),
      }
    }),
  )
}
