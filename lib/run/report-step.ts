/**
 * The report step of a run: comparison, breaks, snapshots, mail and final state become one
 * transaction (T6); afterwards the outbox is emptied (T5). The mail itself is made by lib/report.
 */

import { insertComparison, storeComparison } from '../ledger/comparison.ts'
import { assertFence } from '../ledger/fence.ts'
import type { FileRow } from '../ledger/file.ts'
import type { Lease } from '../ledger/lease.ts'
import { enqueueMail, mailState, type OutboxMail } from '../ledger/outbox.ts'
import { countRejects, listRejects } from '../ledger/reject.ts'
import { earlierReport, type ReplacedRow, replacedFiles } from '../ledger/replaced.ts'
import { finishRevision, type Revision } from '../ledger/revision.ts'
import { setRunState } from '../ledger/run-state.ts'
import { recordSnapshot } from '../ledger/snapshot.ts'
import { describeError, TallymanError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { Reject } from '../model/issue.ts'
import type { ScheduledJob } from '../model/job.ts'
import type { FailedUnit } from '../model/mapping.ts'
import type { FileResult, LoadResult, RunState, StepResult } from '../model/run.ts'
import { composeMail, isWorthAMail } from '../report/compose/compose-mail.ts'
import { deliverOutbox } from '../report/deliver/outbox.ts'
import type { NightReportInput } from '../report/night-report.ts'
import { historyOf } from './break-history.ts'
import type { Engine } from './engine.ts'
import { contentPathOf } from './fetch-step.ts'
import type { Reconciled } from './reconcile-step.ts'
import type { RunSummary } from './summary.ts'

/** Rejects that a mail's model holds; all of them are in the attachment and the run ledger. */
const REJECTS_IN_MAIL = 200

/** Rejects read at a time for the attachment. */
const REJECT_PAGE = 1_000

/** All that is known at the end of an attempt. */
export interface NightFacts {
  readonly state: NightReportInput['state']
  readonly revision: Revision | null
  readonly comparisonNumber: number | null
  readonly files: readonly FileResult[]
  readonly steps: readonly StepResult[]
  readonly load: LoadResult | null
  readonly published: boolean
  readonly warnings: readonly string[]
  readonly failedUnits: readonly FailedUnit[]
  readonly reconciled: readonly Reconciled[]
  readonly failure: unknown
}

/** Who reports about what. */
export interface Reporting {
  readonly engine: Engine
  readonly scheduled: ScheduledJob
  readonly lease: Lease
}

/** Writes everything down in one transaction. Gives the Message-ID, null when there is nothing worth a mail. */
export async function publishNight(
  reporting: Reporting,
  facts: NightFacts,
  runState: RunState,
): Promise<{ messageId: string | null; replaces: readonly ReplacedRow[] }> {
  const { engine, lease } = reporting
  const composed = await compose(reporting, facts)
  failpoint('report.before-commit')
  await engine.database.use(connection =>
    connection.transaction(
      async () => {
        if (facts.comparisonNumber !== null) {
          const gate = await insertComparison(connection, lease, {
            number: facts.comparisonNumber,
            revisionId: facts.revision?.id ?? null,
          })
          if (gate.kind === 'done') return
          for (const item of facts.reconciled) {
            await storeComparison(connection, gate.id, item.comparison)
            await recordSnapshots(connection, lease, facts, item)
          }
        }
        if (composed.mail !== null) await enqueueMail(connection, composed.mail)
        if (facts.revision !== null && facts.state === 'done')
          await finishRevision(connection, facts.revision.id)
        await setRunState(connection, lease, runState)
        await assertFence(connection, lease)
      },
      { commit: 'proved' },
    ),
  )
  failpoint('report.after-commit')
  return { messageId: composed.mail?.messageId ?? null, replaces: composed.replaces }
}

async function recordSnapshots(
  connection: Parameters<typeof recordSnapshot>[0],
  lease: Lease,
  facts: NightFacts,
  item: Reconciled,
): Promise<void> {
  for (const [side, snapshot] of [
    ['source', item.left],
    ['target', item.right],
  ] as const) {
    if (snapshot === null) continue
    const { digest, rows, asOf, scope } = snapshot.manifest
    await recordSnapshot(connection, {
      runId: lease.runId,
      revisionId: facts.revision?.id ?? null,
      reconciliation: item.comparison.reconciliation,
      side,
      digest,
      rows,
      asOf,
      scope,
      path: snapshot.manifestPath,
      manifest: snapshot.manifest,
    })
  }
}

async function compose(
  reporting: Reporting,
  facts: NightFacts,
): Promise<{ mail: OutboxMail | null; replaces: readonly ReplacedRow[] }> {
  const { engine, scheduled } = reporting
  const { environment, redactor } = engine
  const input = await reportInput(reporting, facts)
  const made = await composeMail(input, {
    runId: reporting.lease.runId,
    redaction: redactor,
    from: environment.mailFrom,
    to: environment.recipients[scheduled.job.report.to]!,
    ...(facts.revision === null ? {} : { rejects: () => allRejects(engine, facts.revision!) }),
  })
  return { mail: isWorthAMail(made.report) ? made.mail : null, replaces: input.replaces }
}

async function reportInput(reporting: Reporting, facts: NightFacts): Promise<NightReportInput> {
  const { engine, scheduled, lease } = reporting
  const { database, environment } = engine
  const { revision } = facts
  const byRevision = revision === null ? null : { revisionId: revision.id }
  const rejects =
    byRevision === null
      ? []
      : await database.use(connection => listRejects(connection, byRevision, { limit: REJECTS_IN_MAIL }))
  const comparisons: NightReportInput['comparisons'][number][] = []
  for (const { comparison } of facts.reconciled) {
    const history = await historyOf(engine, lease, comparison, facts.comparisonNumber!)
    comparisons.push({ result: comparison, history })
  }
  const earlier = facts.state === 'done' ? await database.use(c => earlierReport(c, lease.runId)) : null
  return {
    job: scheduled.job,
    run: lease.key,
    attempt: lease.attempt,
    trigger: lease.trigger,
    revision: revision?.number ?? null,
    comparison: facts.comparisonNumber,
    environment: { name: environment.name, production: environment.production },
    at: new Date(engine.clock.now()).toISOString(),
    state: facts.state,
    files: inPlace(facts, row => contentPathOf(engine, row)),
    replaces:
      revision === null ? [] : await database.use(connection => replacedFiles(connection, revision.id)),
    steps: facts.steps,
    load: facts.load,
    published: facts.published,
    warnings: facts.warnings,
    rejects: rejects.map(row => asReject(row, revision!)),
    rejectsByCode:
      byRevision === null ? [] : await database.use(connection => countRejects(connection, byRevision)),
    failedUnits: facts.failedUnits,
    comparisons,
    failure: facts.failure === null ? null : { error: asTallymanError(facts.failure), nextAttemptAt: null },
    replacesReport: earlier,
    docsUrl: null,
  }
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

async function* allRejects(engine: Engine, revision: Revision): AsyncGenerator<Reject> {
  let after = '0'
  for (;;) {
    const page = await engine.database.use(connection =>
      listRejects(connection, { revisionId: revision.id }, { limit: REJECT_PAGE, after }),
    )
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

/** T5: sends the mails of a run, or all that are due. Never fails a run: what could not be sent waits in the outbox. */
export async function sendMails(
  engine: Engine,
  runId: string | null,
  messageId: string | null,
): Promise<RunSummary['report']> {
  try {
    await deliverOutbox({
      database: engine.database,
      environment: engine.environment,
      secrets: engine.secrets,
      folder: engine.folders.outbox,
      ...(runId === null ? {} : { runId }),
      log: engine.log,
      signal: engine.signal,
    })
    if (messageId === null) return null
    return { messageId, state: await engine.database.use(connection => mailState(connection, messageId)) }
  } catch (error) {
    engine.log.warn('report.sending-stopped', { error: describeError(error) })
    return messageId === null ? null : { messageId, state: 'waiting' }
  }
}
