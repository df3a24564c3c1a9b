/**
 * The mail of a night as lib/report makes it, from what an attempt knows and what the run ledger has. Runs
 * inside T6, on its session, so that it tells the breaks as they are recorded there.
 */
import type { Connection } from '../db/connection.ts'
import type { FileRow } from '../ledger/file.ts'
import type { OutboxMail } from '../ledger/outbox.ts'
import { provedNights } from '../ledger/proved-nights.ts'
import { countRejects, listRejects } from '../ledger/reject.ts'
import { earlierReport, earlierResults, type ReplacedRow, replacedFiles } from '../ledger/replaced.ts'
import { isResolution } from '../ledger/resolution.ts'
import type { Revision } from '../ledger/revision.ts'
import { TallymanError } from '../model/errors.ts'
import type { Reject } from '../model/issue.ts'
import { movesRecords } from '../model/job.ts'
import { type RowOfNights, rowOfNights } from '../model/row-of-nights.ts'
import type { FileResult } from '../model/run.ts'
import { composeMail, isWorthAMail } from '../report/compose/compose-mail.ts'
import type { NightReportInput } from '../report/night-report.ts'
import type { RecordedBreaks } from './break-night.ts'
import { contentPathOf } from './fetch-step.ts'
import type { NightFacts, Reporting } from './night-facts.ts'

/** Rejects that a mail's model holds; all of them are in the attachment and the run ledger. */
const REJECTS_IN_MAIL = 200

/** Rejects read at a time for the attachment. */
const REJECT_PAGE = 1_000

/** The mail of a night, null when there is nothing worth one; read on the session of T6, whose breaks it tells. */
export async function composeNight(
  connection: Connection,
  reporting: Reporting,
  facts: NightFacts,
  breaks: RecordedBreaks | null,
): Promise<{ mail: OutboxMail | null; replaces: readonly ReplacedRow[] }> {
  const { engine, scheduled } = reporting
  const { environment, redactor } = engine
  const input = await reportInput(connection, reporting, facts, breaks)
  const made = await composeMail(input, {
    runId: reporting.lease.runId,
    redaction: redactor,
    from: environment.mailFrom,
    to: environment.recipients[scheduled.job.report.to]!,
    ...(facts.revision === null ? {} : { rejects: () => allRejects(connection, facts.revision!) }),
  })
  return { mail: isWorthAMail(made.report) ? made.mail : null, replaces: input.replaces }
}

async function reportInput(
  connection: Connection,
  reporting: Reporting,
  facts: NightFacts,
  breaks: RecordedBreaks | null,
): Promise<NightReportInput> {
  const { engine, scheduled, lease } = reporting
  const { environment } = engine
  const { revision } = facts
  const byRevision = revision === null ? null : { revisionId: revision.id }
  const rejects =
    byRevision === null ? [] : await listRejects(connection, byRevision, { limit: REJECTS_IN_MAIL })
  const earlier = facts.state === 'done' ? await earlierReport(connection, lease.runId) : null
  return {
    job: scheduled.job,
    row: await rowOf(connection, reporting),
    run: lease.key,
    attempt: lease.attempt,
    trigger: lease.trigger,
    revision: revision?.number ?? null,
    resolution: revision !== null && (await isResolution(connection, revision.id)),
    resolvable: scheduled.job.reconcile.comparisons.some(({ resolve }) => resolve !== undefined),
    comparison: facts.comparisonNumber,
    environment: { name: environment.name, production: environment.production },
    at: new Date(engine.clock.now()).toISOString(),
    state: facts.state,
    files: inPlace(facts, row => contentPathOf(engine, row)),
    replaces: revision === null ? [] : await replacedFiles(connection, revision.id),
    steps: facts.steps,
    load: facts.load,
    published: facts.published,
    warnings: facts.warnings,
    rejects: rejects.map(row => asReject(row, revision!)),
    rejectsByCode: byRevision === null ? [] : await countRejects(connection, byRevision),
    failedUnits: facts.failedUnits,
    comparisons: facts.reconciled.map(({ comparison, explanations }) => ({
      result: comparison,
      history: breaks?.histories.get(comparison.reconciliation) ?? null,
      ...(explanations === undefined ? {} : { explanationsFile: explanations }),
    })),
    failure: facts.failure === null ? null : { error: asTallymanError(facts.failure), nextAttemptAt: null },
    replacesReport:
      earlier === null
        ? null
        : {
            ...earlier,
            found:
              facts.comparisonNumber === null
                ? []
                : await earlierResults(connection, lease.runId, facts.comparisonNumber),
          },
    docsUrl: null,
  }
}

/** Nights that are looked at for a row: more than any that is waited for. */
const NIGHTS = 400

/** How many nights in a row are CLEAN, for a job in shadow; tonight's comparison is written already. */
async function rowOf(
  connection: Connection,
  { scheduled: { job }, lease }: Reporting,
): Promise<RowOfNights | null> {
  if (movesRecords(job) || job.shadow === null) return null
  return rowOfNights(await provedNights(connection, job.name, lease.key.businessDate, NIGHTS))
}

/** The files with the loaded ones first, in their places: rejects and units name files by place. A failure says where each is kept. */
function inPlace(
  { files, revision, state }: NightFacts,
  keptAt: (row: FileRow) => string,
): readonly FileResult[] {
  if (revision === null) return files
  const place = new Map(revision.files.map((file, index) => [file.id, index]))
  const kept = (file: FileResult): FileResult => {
    const row = state === 'failed' ? revision.files.find(({ id }) => id === file.id) : undefined
    return row === undefined ? file : { ...file, archived: keptAt(row) }
  }
  return files
    .toSorted((a, b) => (place.get(a.id) ?? files.length) - (place.get(b.id) ?? files.length))
    .map(kept)
}

function asReject(row: Awaited<ReturnType<typeof listRejects>>[number], revision: Revision): Reject {
  const { line, step, raw, unit, issues } = row
  return { file: revision.files.findIndex(file => file.id === row.fileId), line, step, raw, unit, issues }
}

async function* allRejects(connection: Connection, revision: Revision): AsyncGenerator<Reject> {
  let after = '0'
  for (;;) {
    const page = await listRejects(connection, { revisionId: revision.id }, { limit: REJECT_PAGE, after })
    for (const row of page) yield asReject(row, revision)
    if (page.length < REJECT_PAGE) return
    after = page.at(-1)!.id
  }
}

/** An error that nobody threw on purpose is a bug of ours, told as one. */
export function asTallymanError(error: unknown): TallymanError {
  if (error instanceof TallymanError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new TallymanError(
    'bug',
    'BUG_UNEXPECTED',
    `Something happened that Tallyman does not know: ${message}. Nothing more was done; the log has the details.`,
    { cause: error },
  )
}
