/**
 * What a job declares about a comparison besides its sides: rules of columns, control totals, what may
 * still arrive, gates, and the limits from which breaks count. Plain data: lib/config/check-reconcile.ts
 * checks it, reconcile/ judges by it. Exact meaning: docs/reconciliation.md.
 */

/** Decimal text: one for every currency, or one for each; a currency that is not named has 0. */
export type AmountLimit = string | Readonly<Record<string, string>>

/** What a side writes -> what is compared. */
export type ValueMap = Readonly<Record<string, string>>

/** How a column is compared. Default: exact after NFC. */
export interface CompareRule {
  /** Inclusive absolute tolerance, decimal text; numbers only. */
  readonly within?: string
  /** Inclusive relative tolerance, decimal text; numbers only. */
  readonly relative?: string
  /** Inclusive tolerance of instants; whole seconds. */
  readonly withinSeconds?: number
  /** What the column's tolerance may let pass in all, added up with signs, in each currency; more is a break of its own. */
  readonly netBudget?: AmountLimit
  readonly trim?: boolean
  readonly collapse?: boolean
  readonly foldCase?: boolean
  readonly stripAccents?: boolean
  /** Texts that mean null. */
  readonly nullTokens?: readonly string[]
  /** Values of an enumeration, by side; the last of the text rules. A value that the map lacks can't be read. */
  readonly values?: { readonly source?: ValueMap; readonly target?: ValueMap }
  /** Cuts instants to this precision on both sides. */
  readonly precision?: 'second' | 'minute' | 'day'
}

/** What a control total measures. */
export const MEASURES = ['count', 'sum', 'min', 'max', 'distinct'] as const
export type Measure = (typeof MEASURES)[number]

/** A figure that both sides must have in common; a difference is a break of the whole side. */
export interface ControlTotal {
  readonly measure: Measure
  /** The field that is measured; none for `count`. */
  readonly of?: string
  /** Fields that group it. Amounts are always grouped by their currency as well, where a total of the table names it. */
  readonly by?: readonly string[]
  /** Inclusive tolerance, decimal text. The columns' own tolerances do not count here. */
  readonly within?: string
}

/** Rows that only the source has are not missing while they may still arrive. */
export interface PendingRule {
  /** Field with the event's instant or date; a date is its first moment in UTC. */
  readonly column: string
  /** How long after the event the target may take. */
  readonly graceHours: number
}

/** What is asked of both sides before anything is proved. A gate that fails makes the comparison INCONCLUSIVE. */
export interface GateRules {
  /** A side without a row is a fact, not a reason to doubt. */
  readonly allowEmpty?: boolean
  /** Each side's rows lie within this share of the median of the last 10 nights; judged from three nights on. */
  readonly rowBandPercent?: number
  /** Rows that can't be read: more than this on a side, and nothing is proved. */
  readonly maxUnreadable?: number
  /** When both sides must have been taken: hours from the first moment of the business date in the job's zone. */
  readonly asOf?: { readonly fromHours: number; readonly untilHours: number }
}

/** Kinds of breaks that have limits of their own; `currency`: value mismatches whose currency differs. */
export const LIMITED_KINDS = [
  'unreadable',
  'key_invalid',
  'duplicate',
  'missing_in_target',
  'missing_in_source',
  'value_mismatch',
  'currency',
  'control_total',
  'net_budget',
] as const
export type LimitedKind = (typeof LIMITED_KINDS)[number]

/** How much of a kind is let pass; what is above any of these counts. */
export interface Limit {
  /** Breaks. */
  readonly count?: number
  /** Breaks, in percent of the rows of the larger side. */
  readonly percent?: number
  /** What the breaks are worth, added up without signs; of each control total of the table, by currency. */
  readonly amount?: AmountLimit
  /** The same in percent of the larger side's total. */
  readonly amountPercent?: number
  /** Business days that a break of this kind may be old; what is older counts, unless somebody stands for it. */
  readonly businessDays?: number
}

/** From where breaks of a kind count. Default: any one warns; any duplicate or differing currency fails. */
export interface KindLimits {
  readonly warn?: Limit
  readonly fail?: Limit
}

/** Limits by kind; each one that is left out has its default. */
export type BreakLimits = Readonly<Partial<Record<LimitedKind, KindLimits>>>

/** How much a kind of breaks counts. `within`: not above any limit. */
export const SEVERITIES = ['within', 'warn', 'fail'] as const
export type Severity = (typeof SEVERITIES)[number]
