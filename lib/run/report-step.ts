/**
 * The report step of a run: comparison, breaks, snapshots, mail and final state become one
 * transaction (T6); afterwards the outbox is emptied (T5). The mail itself is made by lib/report.
 */
import type { Connection } from '../db/connection.ts'
import { insertComparison, storeComparison } from '../ledger/comparison.ts'
import { assertFence } from '../ledger/fence.ts'
import { type Lease, registerBackend } from '../ledger/lease.ts'
import { enqueueMail, latestMail, mailState } from '../ledger/outbox.ts'
import { type ReplacedRow, replacedFiles } from '../ledger/replaced.ts'
import { finishRevision } from '../ledger/revision.ts'
import { setRunState } from '../ledger/run-state.ts'
import { recordSnapshot } from '../ledger/snapshot.ts'
import { describeError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { RunState } from '../model/run.ts'
import { deliverOutbox } from '../report/deliver/outbox.ts'
import { forgetSightings, type RecordedBreaks, recordBreaks, recordedChanges } from './break-night.ts'
import type { Reconciled } from './compare-night.ts'
import type { Engine } from './engine.ts'
import { explainNight } from './explain-night.ts'
import type { NightFacts, Reporting } from './night-facts.ts'
import { composeNight } from './night-mail.ts'
import type { BreakChanges, RunSummary } from './summary.ts'

/** What was written down. */
export interface Published {
  /** Null when there is nothing worth a mail. */
  readonly messageId: string | null
  readonly replaces: readonly ReplacedRow[]
  /** Null when nothing was compared. */
  readonly changes: BreakChanges | null
  /** The comparisons as they were written down: with the ages of their breaks judged. */
  readonly reconciled: readonly Reconciled[]
}

/**
 * Writes everything down in one transaction: comparison, breaks and what became of those before, mail, final state.
 * Its session is registered, because it holds the breaks of the reconciliation while it works.
 */
export async function publishNight(
  reporting: Reporting,
  given: NightFacts,
  runState: RunState,
): Promise<Published> {
  const { engine, lease } = reporting
  const facts = { ...given, reconciled: await explainNight(reporting, given.reconciled) }
  failpoint('report.before-commit')
  const published = await engine.database.use(async connection => {
    await registerBackend(lease, connection)
    return connection.transaction(() => publish(connection, reporting, facts, runState), {
      commit: 'proved',
    })
  })
  failpoint('report.after-commit')
  await forgetSightings(facts.reconciled)
  return published
}

async function publish(
  connection: Connection,
  reporting: Reporting,
  facts: NightFacts,
  runState: RunState,
): Promise<Published> {
  const { lease } = reporting
  let breaks: RecordedBreaks | null = null
  if (facts.comparisonNumber !== null) {
    const gate = await insertComparison(connection, lease, {
      number: facts.comparisonNumber,
      revisionId: facts.revision?.id ?? null,
    })
    if (gate.kind === 'done') return publishedBefore(connection, lease, facts)
    for (const item of facts.reconciled) await recordSnapshots(connection, lease, facts, gate.id, item)
    breaks = await recordBreaks(connection, reporting, gate.id, facts.reconciled)
    for (const item of breaks.judged) await storeComparison(connection, gate.id, item.comparison, item.madeBy)
  }
  const reconciled = breaks?.judged ?? facts.reconciled
  const { mail, replaces } = await composeNight(connection, reporting, { ...facts, reconciled }, breaks)
  if (mail !== null) await enqueueMail(connection, mail)
  if (facts.revision !== null && facts.state === 'done') await finishRevision(connection, facts.revision.id)
  await setRunState(connection, lease, runState)
  await assertFence(connection, lease)
  return { messageId: mail?.messageId ?? null, replaces, changes: breaks?.changes ?? null, reconciled }
}

/** The same comparison was committed before, with its mail. */
async function publishedBefore(
  connection: Connection,
  lease: Lease,
  { revision, reconciled }: NightFacts,
): Promise<Published> {
  return {
    messageId: (await latestMail(connection, lease.runId))?.messageId ?? null,
    replaces: revision === null ? [] : await replacedFiles(connection, revision.id),
    changes: await recordedChanges(connection, lease.key.businessDate, reconciled),
    reconciled,
  }
}

async function recordSnapshots(
  connection: Parameters<typeof recordSnapshot>[0],
  lease: Lease,
  facts: NightFacts,
  comparisonId: string,
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
      comparisonId,
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
