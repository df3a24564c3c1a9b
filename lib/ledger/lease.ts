/**
 * T0, the lease: one holder per run, beating on a session of its own, with a fence that grows at
 * every take. Who may be succeeded is decided in takeover.ts; the fence is checked by fence.ts.
 */
import { hostname } from 'node:os'
import type { Connection } from '../db/connection.ts'
import type { Database } from '../db/database.ts'
import { describeError, RunError, TallymanError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { AttemptState, RunKey, RunState, Trigger } from '../model/run.ts'
import type { Clock } from '../model/time/clock.ts'
import { assertFence, type Holding } from './fence.ts'
import { runSince, type Succession, untilFree } from './takeover.ts'

/** What is written down with an attempt; null where it is not known. */
export interface AttemptFacts {
  readonly trigger: Trigger
  readonly configHash?: string
  readonly codeVersion?: string
  readonly mappingVersion?: number
  readonly tzdataVersion?: string
  /** Attempts that the run had when it was found owed: it is not taken once there are more. Default: it is. */
  readonly attemptsBefore?: number
  /** Ends waiting for a silent holder. */
  readonly signal?: AbortSignal
}

/** How an attempt ended. */
export interface Ending {
  readonly attempt: AttemptState
  readonly run: RunState
  /** Why it failed; kept with code, text and details. */
  readonly error?: unknown
}

/** A held run. */
export interface Lease extends Holding {
  readonly key: RunKey
  /** From 1. */
  readonly attempt: number
  readonly trigger: Trigger
  /** Aborted when the lease is lost (RUN_LEASE_LOST, RUN_FENCED): stop at once, commit nothing. */
  readonly signal: AbortSignal
  /** What was found: the run's state, and how its last attempt ended; null for the first. */
  readonly previous: { readonly runState: RunState; readonly attemptState: AttemptState | null }
  /**
   * Writes the ending down and gives the run free. Gives false, and writes nothing, when the run was
   * taken over in the meantime.
   */
  release(ending: Ending): Promise<boolean>
}

/** A taker knows within two beats that a holder lives, so `run` of a held date answers in 2 to 4 s. */
const BEAT_EVERY_MS = 2_000

/** Without an answer for this long the holder gives up, well before a taker would terminate it (30 s). */
const BEAT_ANSWER_WITHIN_MS = 20_000

/** A taker that stops in the middle of its short transaction may not block the others for longer. */
const TAKER_IDLE_MS = 10_000

/**
 * Takes the run, first waiting out a silent holder. A dead holder's attempt is marked interrupted.
 * Cost: at once when nobody holds it; 2 to 4 s to learn that it is held; 30 s for a silent holder.
 * @throws RUN_HELD_ELSEWHERE when its holder lives, or somebody else has run it since it was found owed.
 */
export async function takeLease(
  database: Database,
  clock: Clock,
  key: RunKey,
  facts: AttemptFacts,
): Promise<Lease> {
  const connection = await database.connect({
    name: `tallyman lease ${key.job} ${key.businessDate}`.slice(0, 63),
    idleInTransactionTimeoutMs: TAKER_IDLE_MS,
  })
  try {
    const runId = await runIdOf(connection, key)
    for (;;) {
      const seen = await untilFree(connection, clock, runId, key, facts.signal)
      failpoint('run.before-take')
      const taken = await connection.transaction(() => take(connection, key, seen, facts))
      failpoint('run.after-take')
      if (taken !== null) return hold(database, connection, clock, key, facts.trigger, taken)
    }
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** Records another session of the attempt, so that a taker can end it. Call it for every session that does a run's work. */
export async function registerBackend(lease: Holding, connection: Connection): Promise<void> {
  await connection.query(
    'INSERT INTO tallyman.attempt_backend (attempt, pid, backend_start) VALUES ($1, $2, $3::timestamptz) ON CONFLICT DO NOTHING',
    [lease.attemptId, connection.pid, connection.backendStart],
  )
}

async function runIdOf(connection: Connection, key: RunKey): Promise<string> {
  // Read first: an insert would wait for a paused holder that has changed the row in its load, for ever.
  const known = await findRun(connection, key)
  if (known !== null) return known
  await connection.query(
    `INSERT INTO tallyman.run (job, business_date, state) VALUES ($1, $2::date, 'owed') ON CONFLICT DO NOTHING`,
    [key.job, key.businessDate],
  )
  return (await findRun(connection, key))!
}

async function findRun(connection: Connection, key: RunKey): Promise<string | null> {
  const { rows } = await connection.query<{ id: string }>(
    'SELECT id FROM tallyman.run WHERE job = $1 AND business_date = $2::date',
    [key.job, key.businessDate],
  )
  return rows[0]?.id ?? null
}

interface Taken extends Holding {
  readonly attempt: number
  readonly previous: Lease['previous']
}

/** Raises the fence from what was seen; null when somebody else was quicker. */
async function take(
  connection: Connection,
  key: RunKey,
  seen: Succession,
  facts: AttemptFacts,
): Promise<Taken | null> {
  const { runId } = seen
  const run = await connection.query<{ fence: string; state: RunState }>(
    'SELECT fence, state FROM tallyman.run WHERE id = $1 FOR UPDATE',
    [runId],
  )
  const found = run.rows[0]!
  if (found.fence !== seen.fence) return null
  const fence = String(BigInt(found.fence) + 1n)
  await connection.query(
    `UPDATE tallyman.run SET fence = $2, state = 'running', changed_at = now() WHERE id = $1`,
    [runId, fence],
  )
  await connection.query(
    `UPDATE tallyman.step SET state = 'failed' WHERE state = 'running'
       AND attempt IN (SELECT id FROM tallyman.attempt WHERE run = $1)`,
    [runId],
  )
  await connection.query(
    `UPDATE tallyman.attempt SET state = 'interrupted', ended_at = now() WHERE run = $1 AND state = 'running'`,
    [runId],
  )
  const last = await connection.query<{ number: number; state: AttemptState }>(
    'SELECT number, state FROM tallyman.attempt WHERE run = $1 ORDER BY number DESC LIMIT 1',
    [runId],
  )
  const before = last.rows[0]?.number ?? 0
  if (facts.attemptsBefore !== undefined && before > facts.attemptsBefore) throw runSince(key)
  const number = before + 1
  const attempt = await connection.query<{ id: string }>(
    `INSERT INTO tallyman.attempt (run, number, trigger, state, fence, host, os_pid, config_hash, code_version,
       mapping_version, tzdata_version) VALUES ($1, $2, $3, 'running', $4, $5, $6, $7, $8, $9, $10) RETURNING id`,
    [
      ...[runId, number, facts.trigger, fence, hostname(), process.pid],
      ...[facts.configHash ?? null, facts.codeVersion ?? null],
      ...[facts.mappingVersion ?? null, facts.tzdataVersion ?? process.versions.tz ?? null],
    ],
  )
  const attemptId = attempt.rows[0]!.id
  await connection.query(
    `INSERT INTO tallyman.lease (run, attempt, fence) VALUES ($1, $2, $3)
     ON CONFLICT (run) DO UPDATE SET attempt = excluded.attempt, fence = excluded.fence, beat = 0, taken_at = now()`,
    [runId, attemptId, fence],
  )
  const holding = { runId, attemptId, fence }
  await registerBackend(holding, connection)
  return {
    ...holding,
    attempt: number,
    previous: { runState: found.state, attemptState: last.rows[0]?.state ?? null },
  }
}

function hold(
  database: Database,
  connection: Connection,
  clock: Clock,
  key: RunKey,
  trigger: Trigger,
  taken: Taken,
): Lease {
  const lost = new AbortController()
  const released = new AbortController()
  connection.onLost(cause => lost.abort(leaseLost(cause)))
  const beating = beat(connection, clock, taken, lost, released.signal)
  const release = async (ending: Ending): Promise<boolean> => {
    released.abort()
    await beating
    try {
      return await database.use(c => c.transaction(() => end(c, taken, ending), { commit: 'proved' }))
    } finally {
      await connection.close()
    }
  }
  return { ...taken, key, trigger, signal: lost.signal, release }
}

/** Beats until released or lost; never rejects. */
async function beat(
  connection: Connection,
  clock: Clock,
  holding: Holding,
  lost: AbortController,
  released: AbortSignal,
): Promise<void> {
  const pause = AbortSignal.any([lost.signal, released])
  while (!pause.aborted) {
    await clock.sleep(BEAT_EVERY_MS, pause).catch(() => {})
    if (pause.aborted) return
    const answered = new AbortController()
    const silence = clock
      .sleep(BEAT_ANSWER_WITHIN_MS, AbortSignal.any([answered.signal, pause]))
      .then(() => 'silence' as const)
      .catch(() => 'stopped' as const)
    const answer = connection
      .query('UPDATE tallyman.lease SET beat = beat + 1 WHERE run = $1 AND fence = $2', [
        holding.runId,
        holding.fence,
      ])
      .then(
        result => (result.rowCount === 1 ? ('beaten' as const) : ('superseded' as const)),
        (error: unknown) => error,
      )
    const outcome = await Promise.race([answer, silence])
    answered.abort()
    if (outcome === 'beaten' || outcome === 'stopped') continue
    lost.abort(leaseLost(outcome))
  }
}

function leaseLost(cause: unknown): RunError {
  const why =
    cause === 'superseded'
      ? 'another attempt took the run over'
      : cause === 'silence'
        ? 'the database did not answer for 20 s'
        : describeError(cause)
  return new RunError(
    'RUN_LEASE_LOST',
    `The lease of this run was lost (${why}). This attempt stops and commits nothing more; the run is taken again.`,
    { retry: 'verify-first', cause },
  )
}

async function end(connection: Connection, taken: Taken, ending: Ending): Promise<boolean> {
  try {
    await assertFence(connection, taken)
  } catch (error) {
    if (error instanceof TallymanError && error.code === 'RUN_FENCED') return false
    throw error
  }
  await connection.query(
    'UPDATE tallyman.attempt SET state = $2, ended_at = now(), error = $3::jsonb WHERE id = $1',
    [taken.attemptId, ending.attempt, errorFacts(ending.error)],
  )
  await connection.query(
    `UPDATE tallyman.step SET state = 'failed' WHERE attempt = $1 AND state = 'running'`,
    [taken.attemptId],
  )
  await connection.query('UPDATE tallyman.run SET state = $2, changed_at = now() WHERE id = $1', [
    taken.runId,
    ending.run,
  ])
  await connection.query('DELETE FROM tallyman.lease WHERE run = $1 AND fence = $2', [
    taken.runId,
    taken.fence,
  ])
  return true
}

function errorFacts(error: unknown): string | null {
  if (error === undefined) return null
  const facts =
    error instanceof TallymanError
      ? {
          code: error.code,
          step: error.step,
          message: error.message,
          details: error.details,
          retry: error.retry,
        }
      : { code: null, step: null, message: describeError(error), details: {}, retry: 'never' }
  return JSON.stringify(facts).replaceAll('\\u0000', '\\ufffd')
}
