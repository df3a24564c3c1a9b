/**
 * The six steps of an attempt as rows: what runs now, how long each took. Told to people by `status`
 * and the run's summary; nothing is decided by them.
 */
import type { Connection } from '../db/connection.ts'
import type { Facts } from '../model/progress.ts'
import type { StepResult, StepState } from '../model/run.ts'
import { STEPS, type Step } from '../model/steps.ts'
import type { Holding } from './fence.ts'
import { storableJson } from './storable.ts'

/** Says where a step stands. `ms` is its time so far; `facts` replace the earlier ones. */
export async function setStep(
  connection: Connection,
  holding: Holding,
  step: Step,
  state: StepState,
  ms = 0,
  facts: Facts = {},
): Promise<void> {
  await connection.query(
    `INSERT INTO tallyman.step (attempt, step, state, ms, facts) VALUES ($1, $2, $3, $4, $5::jsonb)
     ON CONFLICT (attempt, step) DO UPDATE SET state = excluded.state, ms = excluded.ms, facts = excluded.facts`,
    [holding.attemptId, step, state, Math.round(ms), storableJson(facts)],
  )
}

/** The steps of an attempt, in their order. */
export async function stepsOf(connection: Connection, attemptId: string): Promise<StepResult[]> {
  const { rows } = await connection.query<StepResult>(
    'SELECT step, state, ms FROM tallyman.step WHERE attempt = $1',
    [attemptId],
  )
  return rows.toSorted((a, b) => STEPS.indexOf(a.step) - STEPS.indexOf(b.step))
}
