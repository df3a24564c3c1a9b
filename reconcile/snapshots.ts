/**
 * The builder of a job's reconcile step: `snapshots({ table, scope, compare })` for one comparison,
 * `snapshots(comparison(...), comparison(...))` for several. Plain data; lib/run takes the snapshots and
 * calls compare/compare-sides.ts.
 */
import type { BreakLimits, ControlTotal, GateRules, PendingRule } from '../lib/model/comparison-rules.ts'
import { ConfigError } from '../lib/model/errors.ts'
import type {
  AcknowledgeRule,
  CompareRule,
  FetchSpec,
  ParseSpec,
  ReconcileSpec,
  Reconciliation,
  Scope,
  Side,
} from '../lib/model/job.ts'
import type { Mapping } from '../lib/model/mapping.ts'
import { refuseDefinition } from '../lib/model/refusal.ts'
import type { ResolveRule } from '../lib/model/resolution.ts'
import { qualifiedName, type TableDefinition } from '../lib/model/table.ts'

/** One comparison of a job. Rule and ignore columns are fields of the table's rows. */
export interface ComparisonOptions<Row> {
  /** The table of the mapping that is compared: gives columns, key and totals. */
  readonly table: TableDefinition<Row>
  /** With the job's name this is the reconciliation's name for ever; default: the table's name. */
  readonly name?: string
  /** Default: the mapped records of the run. */
  readonly source?: Side
  /** Default: the target table as it is after the load. */
  readonly target?: Side
  /** Which rows of the target take part; only for the default target. Default `all`: nothing is hidden. */
  readonly scope?: 'all' | 'keysOfOther' | { readonly businessDate: keyof NoInfer<Row> & string }
  /** Rules of single columns; a column without one is compared exactly. */
  readonly compare?: { readonly [Field in keyof NoInfer<Row>]?: CompareRule }
  readonly ignore?: readonly (keyof NoInfer<Row> & string)[]
  /** Figures that both sides must have in common, by name. Default: none beside the proof of the table's totals. */
  readonly totals?: Readonly<
    Record<
      string,
      Omit<ControlTotal, 'of' | 'by'> & {
        readonly of?: keyof NoInfer<Row> & string
        readonly by?: readonly (keyof NoInfer<Row> & string)[]
      }
    >
  >
  /** What only the source has is not missing while it may still arrive. Default: it is missing at once. */
  readonly pending?: PendingRule & { readonly column: keyof NoInfer<Row> & string }
  /** What is asked of both sides before anything is proved, beside that they are there, not empty and have their columns. */
  readonly gates?: GateRules
  /** From where breaks count. Default: any one warns; a duplicate or a differing currency fails. */
  readonly limits?: BreakLimits
  /** Above this amount it takes two people to acknowledge a break. Default: one may. */
  readonly acknowledge?: AcknowledgeRule
  /** What `breaks resolve` may propose for its breaks. Default: nothing. */
  readonly resolve?: Omit<ResolveRule, 'authority'> & {
    readonly authority: { readonly [Field in keyof NoInfer<Row>]?: ResolveRule['authority'][string] }
  }
}

/** One comparison, for `snapshots(...)`. @throws CONFIG_COMPARE_RULE_INVALID for a scope beside a target that has its own, or an amount that is none. */
export function comparison<Row>(options: ComparisonOptions<Row>): Reconciliation {
  const table = options.table as TableDefinition
  const scope = options.scope as Scope | undefined
  const above = options.acknowledge?.fourEyesAbove
  if (above !== undefined && !/^\d+(\.\d+)?$/.test(above)) {
    throw new ConfigError(
      'CONFIG_COMPARE_RULE_INVALID',
      `The comparison of ${qualifiedName(table)} wants four eyes above ${JSON.stringify(above)}, which is no plain positive decimal. Nothing was started.`,
    )
  }
  const made: Reconciliation = {
    name: options.name ?? table.name,
    table: qualifiedName(table),
    source: options.source ?? { kind: 'mapped' },
    target: options.target ?? { kind: 'target', scope: scope ?? 'all' },
    rules: (options.compare ?? {}) as Readonly<Record<string, CompareRule>>,
    ignore: options.ignore ?? [],
    definition: table,
    ...(options.totals === undefined ? {} : { totals: options.totals }),
    ...(options.pending === undefined ? {} : { pending: options.pending }),
    ...(options.gates === undefined ? {} : { gates: options.gates }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.acknowledge === undefined ? {} : { acknowledge: options.acknowledge }),
    ...(options.resolve === undefined ? {} : { resolve: options.resolve as ResolveRule }),
  }
  if (scope !== undefined && options.target !== undefined) {
    const text = `The comparison of ${qualifiedName(table)} names a scope beside a target that has its own. Nothing was started.`
    refuseDefinition(new ConfigError('CONFIG_COMPARE_RULE_INVALID', text), made)
  }
  return Object.freeze(made)
}

/** The reconcile step of a job that compares one table. */
export function snapshots<Row>(options: ComparisonOptions<Row>): ReconcileSpec
/** The reconcile step of a job that makes several comparisons. @throws CONFIG_COMPARE_RULE_INVALID for two of one name. */
export function snapshots(...comparisons: readonly Reconciliation[]): ReconcileSpec
export function snapshots(...given: readonly (ComparisonOptions<unknown> | Reconciliation)[]): ReconcileSpec {
  const comparisons = given.map(one => ('rules' in one ? one : comparison(one)))
  const names = comparisons.map(({ name }) => name)
  const double = names.find((name, index) => names.indexOf(name) !== index)
  const spec: ReconcileSpec = { comparisons }
  if (double !== undefined) {
    const text = `Two comparisons of a job are named ${double}; a name is part of each break's identity. Nothing was started.`
    refuseDefinition(new ConfigError('CONFIG_COMPARE_RULE_INVALID', text), spec)
  }
  return spec
}

/** Numbers may differ by this much, bounds included; nothing is rounded. */
export function within(absolute: string): CompareRule {
  return { within: absolute }
}

/** Instants may lie apart by so many seconds, bounds included. */
export function withinSeconds(seconds: number): CompareRule {
  return { withinSeconds: seconds }
}

/** Numbers may differ by this share of the larger one, bounds included. */
export function relative(share: string): CompareRule {
  return { relative: share }
}

/** A side that is another feed, with its own parsing and mapping into the same rows. */
export function files<Tables extends Readonly<Record<string, unknown>>>(side: {
  readonly fetch: FetchSpec
  readonly parse: ParseSpec
  readonly map: Mapping<Tables>
  readonly scope?: Scope
}): Side {
  return {
    kind: 'files',
    fetch: side.fetch,
    parse: side.parse,
    map: side.map as unknown as Mapping,
    scope: side.scope ?? 'all',
  }
}

/** A side that is a query of the target database; it gives the table's columns by their database names. */
export function query(sql: string, scope: Scope = 'all'): Side {
  return { kind: 'query', sql, scope }
}
