/**
 * What `run --json` prints of a run: the public schema of docs/commands.md, field by field, so that
 * what the engine learns to tell later does not change it by accident.
 */
import { runDetails } from '../../lib/ledger/run-list.ts'
import type { RunKey } from '../../lib/model/run.ts'
import type { Engine } from '../../lib/run/engine.ts'
import { NO_RECORDS, type RunSummary } from '../../lib/run/summary.ts'

/** A run for programs. */
export type RunData = ReturnType<typeof runData>

/** The public part of a summary. */
export function runData(summary: Omit<RunSummary, 'replaces' | 'laws' | 'warnings'>) {
  const { job, businessDate, attempt, revision, state, counts, reconcile } = summary
  return {
    job,
    businessDate,
    attempt,
    revision,
    state,
    files: summary.files.map(({ name, contentSha256, bytes, verdict }) => ({
      name,
      contentSha256,
      bytes,
      verdict,
    })),
    counts: {
      read: counts.read,
      mapped: counts.mapped,
      rejected: counts.rejected,
      filtered: counts.filtered,
    },
    tables: summary.tables.map(({ table, inserted, updated, unchanged, collapsed, outdated, deleted }) => ({
      ...{ table, inserted, updated, unchanged, collapsed, outdated, deleted },
    })),
    reconcile:
      reconcile === null
        ? null
        : {
            outcome: reconcile.outcome,
            severity: reconcile.severity,
            breaks: reconcile.breaks,
            unexplained: reconcile.unexplained,
          },
    steps: summary.steps.map(({ step, state: stepState, ms }) => ({ step, state: stepState, ms })),
    report: summary.report,
  }
}

/** The same of a run whose attempt failed, from what the run ledger keeps of it; null when it was never begun or can't be read. */
export async function failedRunData(engine: Engine, key: RunKey): Promise<RunData | null> {
  const details = await engine.database
    .use(connection => runDetails(connection, key))
    // The database may be what failed; the error itself says so.
    .catch(() => null)
  if (details === null) return null
  const { run, revision, steps, load } = details
  const result = revision !== null && load !== null ? load.result : null
  return runData({
    ...key,
    attempt: run.attempt?.number ?? 0,
    revision: revision?.number ?? null,
    state: run.state,
    files: revision?.results ?? [],
    counts: result?.counts ?? NO_RECORDS,
    tables: load?.state === 'published' ? (result?.tables ?? []) : [],
    reconcile: null,
    steps,
    report: null,
  })
}
