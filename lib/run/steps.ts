/**
 * Runs the steps of an attempt one after another, and writes down when each began and how it ended:
 * in the run ledger, in the log, and for the summary.
 */
import type { Holding } from '../ledger/fence.ts'
import { setStep } from '../ledger/step.ts'
import { describeError, TallymanError } from '../model/errors.ts'
import type { Log } from '../model/progress.ts'
import type { StepResult, StepState } from '../model/run.ts'
import { STEPS, type Step } from '../model/steps.ts'
import type { Clock } from '../model/time/clock.ts'
import type { Engine } from './engine.ts'

/** The steps of one attempt. */
export interface StepLog {
  /** Runs one step; what it throws is thrown on. */
  run<T>(step: Step, work: () => Promise<T>): Promise<T>
  /** Notes a step that ran inside another one, with its own share of the time. */
  within(step: Step, ms: number): Promise<void>
  /** Results in the order of the steps; those that were never reached are skipped. */
  results(): StepResult[]
}

/** A step log of this attempt. */
export function openStepLog(engine: Engine, lease: Holding, log: Log): StepLog {
  const found = new Map<Step, StepResult>()
  const write = (step: Step, state: StepState, ms: number): Promise<void> =>
    engine.database.use(connection => setStep(connection, lease, step, state, ms))
  const note = async (step: Step, state: StepState, ms: number): Promise<void> => {
    found.set(step, { step, state, ms })
    await write(step, state, ms)
  }
  return {
    results: () => STEPS.map(step => found.get(step) ?? { step, state: 'skipped', ms: 0 }),
    within: (step, ms) => note(step, 'done', Math.round(ms)),
    run: async (step, work) => {
      const startedMs = engine.clock.monotonicMs()
      const elapsed = (): number => Math.round(engine.clock.monotonicMs() - startedMs)
      await write(step, 'running', 0)
      log.info(`${step}.started`)
      try {
        const value = await work()
        await note(step, 'done', elapsed() - innerMs(step, found))
        log.info(`${step}.done`, { ms: elapsed() })
        return value
      } catch (error) {
        const code = error instanceof TallymanError ? error.code : 'BUG_UNEXPECTED'
        log.error(`${step}.failed`, { ms: elapsed(), code, error: describeError(error) })
        found.set(step, { step, state: 'failed', ms: elapsed() })
        // The row says so while the database answers; the attempt's own ending says it in any case.
        await write(step, 'failed', elapsed()).catch(() => {})
        throw error
      }
    },
  }
}

/** Steps that are only timed: a dry run writes nothing down. */
export function silentSteps(clock: Clock): StepLog {
  const found = new Map<Step, StepResult>()
  return {
    results: () => STEPS.map(step => found.get(step) ?? { step, state: 'skipped', ms: 0 }),
    within: async (step, ms) => void found.set(step, { step, state: 'done', ms: Math.round(ms) }),
    run: async (step, work) => {
      const startedMs = clock.monotonicMs()
      const value = await work()
      const ms = Math.round(clock.monotonicMs() - startedMs) - innerMs(step, found)
      found.set(step, { step, state: 'done', ms })
      return value
    },
  }
}

/** Parse and map happen while the load pulls their blocks: their share is not the load's. */
function innerMs(step: Step, found: ReadonlyMap<Step, StepResult>): number {
  if (step !== 'load') return 0
  return (found.get('parse')?.ms ?? 0) + (found.get('map')?.ms ?? 0)
}
