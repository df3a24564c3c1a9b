/**
 * The authored form of a job: what jobs/<name>.ts exports. Ties the tables that the mapping makes to
 * the tables that the load takes, at compile time; everything else is judged by lib/config/check-job.ts.
 */
import type { ComparingJob, JobDefinition, LoadSpec, ShadowSpec } from './job.ts'
import type { Mapping } from './mapping.ts'
import { qualifiedName, type TableDefinition } from './table.ts'

type TablesOf<Rows> = { readonly [Name in keyof Rows]: TableDefinition<Rows[Name]> }

/** What a load must look like for a mapping that makes `Rows`; no demand where the load's tables lost their types. */
type Takes<Rows, Load extends LoadSpec> = string extends keyof Load['tables']
  ? unknown
  : [Load['tables'], TablesOf<Rows>] extends [TablesOf<Rows>, Load['tables']]
    ? unknown
    : 'the load takes other tables or columns than the mapping makes'

/**
 * A job, frozen. The compiler refuses a load whose tables are not exactly those that the mapping makes.
 * Does nothing else: `tallyman check` finds what types can't say.
 */
export function defineJob<Rows extends Readonly<Record<string, unknown>>, const Load extends LoadSpec>(
  job: Omit<JobDefinition, 'map' | 'load' | 'tags'> & {
    readonly tags?: readonly string[]
    readonly map: Mapping<Rows>
    readonly load: Load & Takes<NoInfer<Rows>, Load>
  },
): JobDefinition {
  return Object.freeze({ ...job, tags: job.tags ?? [], map: job.map as unknown as Mapping })
}

/**
 * A job that only compares, frozen: it moves nothing, so it has neither fetch, parse, map nor load of its own.
 * Its tables are those of its comparisons.
 */
export function defineComparisonJob(
  job: Omit<ComparingJob, 'map' | 'tags' | 'shadow'> & {
    readonly tags?: readonly string[]
    /** For a job that runs beside a system which is to be replaced. */
    readonly shadow?: ShadowSpec
  },
): ComparingJob {
  const tables = job.reconcile.comparisons.flatMap(({ definition }) =>
    definition === undefined ? [] : [[qualifiedName(definition), definition] as const],
  )
  return Object.freeze({
    ...job,
    tags: job.tags ?? [],
    shadow: job.shadow ?? null,
    map: { name: job.name, version: 1, tables: Object.fromEntries(tables), lineage: {}, unit: null },
  })
}
