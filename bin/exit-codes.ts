/**
 * Exit codes and the order in which they hold (docs/commands.md). Pure.
 */
import { TallymanError } from '../lib/model/errors.ts'
import { breaksToActOn, type ReconcileSummary } from '../lib/run/summary.ts'

/** What a command's end means to the shell. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  rejects: 3,
  breaks: 4,
  inconclusive: 5,
  tryLater: 75,
  interrupted: 130,
  terminated: 143,
} as const

/**
 * Order in which codes hold when one command ran several things. What is left to do, for whatever
 * reason, comes before `done`: a caller that sees 0 may rely on everything.
 */
const PRECEDENCE = [
  EXIT.failed,
  EXIT.usage,
  EXIT.inconclusive,
  EXIT.breaks,
  EXIT.rejects,
  EXIT.tryLater,
  EXIT.interrupted,
  EXIT.terminated,
  EXIT.done,
]

/** The code of an error: usage for configuration, try later for what a retry may cure, failed for the rest. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof TallymanError)) return EXIT.failed
  if (error.step === 'config') return EXIT.usage
  if (error.code === 'RUN_INTERRUPTED') return EXIT.interrupted
  if (error.code === 'RUN_TERMINATED') return EXIT.terminated
  return error.retry === 'never' ? EXIT.failed : EXIT.tryLater
}

/**
 * The code of a run's comparisons, null when they have nothing against it. Breaks that are all acknowledged call for
 * nobody until they change or their date is over.
 */
export function exitCodeOfComparisons(reconcile: ReconcileSummary | null): number | null {
  if (reconcile?.outcome === 'INCONCLUSIVE') return EXIT.inconclusive
  if (reconcile?.outcome !== 'BREAKS') return null
  return breaksToActOn(reconcile.breaks) === 0 && reconcile.breaks.acknowledged > 0 ? null : EXIT.breaks
}

/** The code of several results: the first that holds. */
export function worstExit(codes: readonly number[]): number {
  return PRECEDENCE.find(code => codes.includes(code)) ?? codes[0] ?? EXIT.done
}
