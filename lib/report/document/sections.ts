/**
 * NightReport -> MailDocument: which sections a mail has, in the order of docs/mail.md, and what
 * stands in them. Comparisons are told in comparison-sections.ts.
 */
import { bytes, count, decimalsFor, duration, grouped, instant, plural } from '../figures.ts'
import type { FileReport, Law, NightReport } from '../night-report.ts'
import { replacedSentence } from '../replaced-words.ts'
import { shadowSentence } from '../shadow-words.ts'
import { subjectOf } from '../subject.ts'
import { visible, visibleLines } from '../visible.ts'
import {
  ALL_ATTACHED,
  type Attached,
  type Block,
  cell,
  LEVELS,
  type Level,
  type MailDocument,
  type Section,
  shownNote,
} from './blocks.ts'
import { comparisonBreaks } from './break-sections.ts'
import { changesSection, comparisonProofs, gateSection } from './comparison-sections.ts'
import { judgementSections } from './judgement-sections.ts'
import { rejectsSection, unitsSection } from './reject-sections.ts'

/** Control totals that a mail repeats; a job with one per currency has dozens. */
const TOTALS = 6

/** The whole mail at this level of detail. A clean night is one sentence unless something must be said about its files. */
export function mailDocument(
  report: NightReport,
  level: Level = LEVELS[0],
  attached: Attached = ALL_ATTACHED,
): MailDocument {
  const quiet = ['CLEAN', 'LOADED', 'NOTHING TO DO'].includes(report.status)
  return {
    status: report.status,
    subject: subjectOf(report),
    kicker: [report.job.name, report.run.businessDate, ...environmentOf(report)]
      .map(text => visible(text, 100))
      .join(' · '),
    headline: visible(report.headline, 600),
    action: visible(report.action, 400),
    urgency: quiet ? '' : `If it waits: ${visible(report.job.ifLate, 400)}`,
    notices: noticesOf(report),
    sections: (quiet ? quietSections(report, level) : fullSections(report, level, attached)).filter(
      ({ blocks }) => blocks.length > 0,
    ),
    footer: footerOf(report),
  }
}

function environmentOf({ environment }: NightReport): string[] {
  return environment.production ? [] : [`environment ${environment.name}`]
}

function noticesOf(report: NightReport): string[] {
  const { environment, shadow } = report
  return [
    ...(shadow === null ? [] : [visible(shadowSentence(shadow), 600)]),
    ...(report.replacesReport === null
      ? []
      : [visible(replacedSentence(report, report.replacesReport), 600)]),
    ...(environment.production ? [] : [`Not production: environment ${visible(environment.name, 60)}.`]),
  ]
}

function quietSections(report: NightReport, level: Level): Section[] {
  const told = report.files.some(
    ({ note, replaces, verdict }) => note !== '' || replaces !== '' || verdict !== 'new',
  )
  return [
    gateSection(report, level),
    ...comparisonProofs(report, level),
    ...judgementSections(report, level),
    ...(told ? [filesSection(report, level)] : []),
    { title: 'Worth knowing', blocks: warningsOf(report, level) },
  ]
}

function fullSections(report: NightReport, level: Level, attached: Attached): Section[] {
  return [
    failureSection(report, level),
    gateSection(report, level),
    changesSection(report),
    ...comparisonProofs(report, level),
    unitsSection(report, level),
    rejectsSection(report, level, attached),
    filesSection(report, level),
    ...judgementSections(report, level),
    ...comparisonBreaks(report, level, attached),
    lawsSection(report, level),
    { title: 'Worth knowing', blocks: warningsOf(report, level) },
    stepsSection(report),
    { title: 'Commands', blocks: [{ kind: 'commands', items: report.commands }] },
  ]
}

/** Characters of statements to be copied, per row that a section may have: a table's DDL fits into the first level. */
const COPIED_PER_ROW = 600

function failureSection({ failure }: NightReport, level: Level): Section {
  if (failure === null) return { title: '', blocks: [] }
  const facts = failure.facts
    .slice(0, 12)
    .map(({ name, value }) => ({ name: visible(name, 40), value: visible(value, 160) }))
  const { lines, left } = visibleLines(failure.toCopy, level.rows * COPIED_PER_ROW)
  return {
    title: 'What happened',
    blocks: [
      { kind: 'sentence', tone: 'bad', text: visible(failure.message, 1200) },
      ...(failure.toCopy === ''
        ? []
        : [
            {
              kind: 'lines',
              lines,
              note: left === 0 ? '' : `${plural(left, 'more line')}, all in the attached summary`,
            } as const,
          ]),
      {
        kind: 'facts',
        items: [
          { name: 'Code', value: failure.code },
          { name: 'Step', value: failure.step },
          { name: 'What happens next', value: failure.next },
          ...failure.links.map(({ label, target }) => ({ name: label, value: target })),
          ...facts,
        ],
      },
    ],
  }
}

function filesSection(report: NightReport, level: Level): Section {
  if (report.files.length === 0) return { title: '', blocks: [] }
  const rows = report.files
    .slice(0, level.rows)
    .map(file => [
      cell(visible(file.name, level.characters)),
      cell(bytes(file.bytes)),
      cell(saidOf(file, level), file.verdict === 'new' ? 'plain' : 'warn'),
    ])
  return {
    title: 'Files',
    blocks: [
      {
        kind: 'table',
        columns: [
          { title: 'File', align: 'left' },
          { title: 'Size', align: 'right' },
          { title: 'What it is', align: 'left' },
        ],
        rows,
        note: shownNote(rows.length, report.files.length, 'all in the attached summary'),
      },
    ],
  }
}

const VERDICT_WORDS = {
  new: 'new',
  duplicate: 'already loaded, no effect',
  correction: 'correction',
  additional: 'additional file of this date',
} as const

function saidOf({ verdict, replaces, note }: FileReport, level: Level): string {
  // What the run ledger notes of a file that is its own duplicate says the verdict once more.
  const further = note === 'already applied' ? '' : note
  const word = verdict === 'duplicate' && further !== '' ? 'duplicate, no effect' : VERDICT_WORDS[verdict]
  const parts = [word, replaces, further].filter(part => part !== '')
  return visible(parts.join('; '), level.characters * 3)
}

/** The laws keep their terms, which are those of the run ledger; this says what they mean. */
const LAW_WORDS =
  'Read: found in the files. Mapped: turned into rows for the target. Rejected: refused. Filtered: left out on purpose. Unchanged: was in the target before. Collapsed: equal rows, stored as one. Outdated: older than what the target has, so left as it is there.'

function lawsSection(report: NightReport, level: Level): Section {
  if (report.laws.length === 0) return { title: '', blocks: [] }
  const laws = report.laws.slice(0, level.rows + 1)
  const totals = report.totals.slice(0, Math.min(level.rows, TOTALS))
  const blocks: Block[] = [
    {
      kind: 'laws',
      items: laws.map(law => ({
        subject: visible(law.subject, 80),
        equation: equation(law),
        holds: law.holds,
      })),
      note: shownNote(laws.length, report.laws.length, 'all in the attached summary'),
    },
    { kind: 'sentence', tone: 'quiet', text: LAW_WORDS },
  ]
  if (report.filters.length > 0) {
    blocks.push({
      kind: 'list',
      items: report.filters
        .slice(0, level.rows)
        .map(({ reason, count: left }) =>
          cell(`${count(left)} left out on purpose: ${visible(reason, 160)}`),
        ),
    })
  }
  if (totals.length > 0) {
    blocks.push({
      kind: 'table',
      columns: [
        { title: 'Control total', align: 'left' },
        { title: 'Table', align: 'left' },
        { title: 'Group', align: 'left' },
        { title: 'Amount', align: 'right' },
      ],
      rows: totals.map(({ total, table, group, amount }) => [
        cell(visible(total, 60)),
        cell(table),
        cell(visible(group, 40)),
        cell(grouped(amount, decimalsFor(group, [amount]))),
      ]),
      note: shownNote(totals.length, report.totals.length, 'all in the attached summary'),
    })
  }
  return { title: report.published ? 'Every record accounted for' : 'Counted, but not published', blocks }
}

/** `77,628 read = 77,620 mapped + 8 rejected + 0 filtered`. */
export function equation({ whole, parts, apart }: Law): string {
  const term = ({ label, value }: { label: string; value: number }) => `${count(value)} ${label}`
  const beside = apart.map(part => `; ${term(part)}`).join('')
  return `${term(whole)} = ${parts.map(term).join(' + ')}${beside}`
}

function warningsOf({ warnings }: NightReport, level: Level): Block[] {
  if (warnings.length === 0) return []
  const items = warnings.slice(0, level.rows).map(text => cell(visible(text, 240), 'warn'))
  const rest = warnings.length - items.length
  return [
    {
      kind: 'list',
      items: rest === 0 ? items : [...items, cell(`${count(rest)} more, all in the attached summary`)],
    },
  ]
}

/** One line; the report's own time is not known while it is written. */
function stepsSection(report: NightReport): Section {
  const unreached = report.failure === null ? 'skipped' : 'not reached'
  const words = stepsTold(report)
    .filter(({ step, state }) => step !== 'report' || state === 'failed')
    .map(({ step, state, ms }) => {
      if (state === 'skipped') return `${step} ${unreached}`
      return `${step} ${state === 'failed' ? 'failed after ' : state === 'done' ? '' : `${state} `}${duration(ms)}`
    })
  const line: Block = { kind: 'sentence', tone: 'quiet', text: words.join(', ') }
  return { title: 'Steps', blocks: words.length === 0 ? [] : [line] }
}

/** The steps as the error names them: parse and map run while the load pulls their records, so that a failure of theirs was timed as the load's. */
function stepsTold({ steps, failure }: NightReport): NightReport['steps'] {
  const inner = failure?.step === 'parse' || failure?.step === 'map' ? failure.step : null
  const load = steps.find(({ step, state }) => step === 'load' && state === 'failed')
  if (inner === null || load === undefined) return steps
  return steps.map(result => {
    if (result.step === inner) return { ...load, step: inner }
    return result.step === 'load' ? { ...result, state: 'skipped' } : result
  })
}

function footerOf(report: NightReport): string[] {
  const { run, attempt, revision, trigger, job } = report
  const load = revision === null ? '' : `, revision ${revision}`
  return [
    visible(job.purpose, 300),
    `Owner: ${visible(job.owner, 80)}. Run ${visible(run.job, 80)} ${run.businessDate}, attempt ${attempt} (${trigger})${load}, reported ${instant(report.at)}.`,
    ...report.comparisons
      .slice(0, 6)
      .flatMap(({ name, left, right }) =>
        left.digest === '' && right.digest === ''
          ? []
          : [
              `Snapshots of ${visible(name, 80)}: ${left.digest.slice(0, 16)} and ${right.digest.slice(0, 16)}.`,
            ],
      ),
  ]
}
