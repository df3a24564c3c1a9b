/**
 * A plan as text, its digest, and reading one back: a plan that was edited, cut or made by something else is
 * told apart from one that is as it was written. Whether it still fits the run is lib/run's to judge.
 */
import { createHash } from 'node:crypto'
import { ConfigError } from '../../lib/model/errors.ts'
import type { ResolutionPlan } from '../../lib/model/resolution.ts'

/** A plan before its digest. */
export type PlanDraft = Omit<ResolutionPlan, 'schemaVersion' | 'kind' | 'digest'>

/** The plan, sealed: its digest is over all the rest. */
export function sealed(draft: PlanDraft): ResolutionPlan {
  const plan = { schemaVersion: 1 as const, kind: 'tallyman.resolution-plan' as const, ...draft }
  return { ...plan, digest: digestOf(plan) }
}

/** The text of a plan's file. */
export function planText(plan: ResolutionPlan): string {
  return `${JSON.stringify(plan, null, 2)}\n`
}

/**
 * Reads a plan's file; `name` is for messages.
 * @throws CONFIG_PLAN_UNREADABLE for what is no plan; CONFIG_PLAN_EDITED for one that is not as it was written.
 */
export function readPlan(text: string, name: string): ResolutionPlan {
  let plan: ResolutionPlan
  try {
    plan = JSON.parse(text.replace(/^\ufeff/, '')) as ResolutionPlan
  } catch {
    throw unreadable(name, 'it is not JSON, or only a part of it')
  }
  if (plan === null || typeof plan !== 'object' || plan.kind !== 'tallyman.resolution-plan')
    throw unreadable(name, 'it is something else')
  if (plan.schemaVersion !== 1)
    throw unreadable(name, `it was written by another version (schema ${String(plan.schemaVersion)})`)
  const { digest, ...rest } = plan
  if (digestOf(rest) !== digest) throw edited(name)
  return plan
}

/** The refusal of a plan that is not as it was written. */
export function edited(name: string): ConfigError {
  return new ConfigError(
    'CONFIG_PLAN_EDITED',
    `${name} is not a plan as it was made: something in it was changed by hand. Nothing was changed in the target; make a plan of the breaks that are meant, by their ids.`,
  )
}

function unreadable(name: string, why: string): ConfigError {
  return new ConfigError(
    'CONFIG_PLAN_UNREADABLE',
    `${name} can't be read as a plan of breaks resolve --plan: ${why}. Nothing was changed.`,
  )
}

function digestOf(plan: object): string {
  return createHash('sha256').update(canonical(plan)).digest('hex')
}

/** JSON with names in order, so that only what it says counts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
