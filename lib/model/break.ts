/**
 * Words of reconciliation: row kinds in the order in which they are tested, outcomes, breaks and
 * what a comparison gives. Exact meanings: docs/reconciliation.md.
 */
import type { LimitedKind, Severity } from './comparison-rules.ts'
import type { Explanation } from './explanation.ts'
import type { RunKey } from './run.ts'

/** Each row of a side is in exactly one of these. */
export const ROW_KINDS = [
  'unreadable',
  'key_invalid',
  'duplicate',
  'pending',
  'missing_in_target',
  'missing_in_source',
  'value_mismatch',
  'within_tolerance',
  'equal_after_rules',
  'identical',
] as const
export type RowKind = (typeof ROW_KINDS)[number]

/** Kinds that are a break; the set-level kinds stand beside the row kinds. */
export const BREAK_KINDS = [
  'unreadable',
  'key_invalid',
  'duplicate',
  'missing_in_target',
  'missing_in_source',
  'value_mismatch',
  'control_total',
  'net_budget',
] as const
export type BreakKind = (typeof BREAK_KINDS)[number]

/** CLEAN: proved equal. BREAKS: proved different. INCONCLUSIVE: a gate failed; nothing is proved. */
export const OUTCOMES = ['CLEAN', 'BREAKS', 'INCONCLUSIVE'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** One compared column of a break. Values are canonical text; null is null. */
export interface BreakColumn {
  readonly name: string
  readonly left: string | null
  readonly right: string | null
  /** What sort of difference: amount, currency, date_time, status, reference, text, null_vs_value. */
  readonly nature: string
  /** right - left for numbers, exact text; null otherwise. */
  readonly delta: string | null
}

/** A proved difference. */
export interface Break {
  /** Lasts over nights: hash of reconciliation, canonical key and kind family; hex. */
  readonly identity: string
  readonly kind: BreakKind
  /** Key columns by name; empty for set-level kinds. */
  readonly key: Readonly<Record<string, string | null>>
  readonly columns: readonly BreakColumn[]
  /** For duplicates: rows on each side. */
  readonly leftRows: number
  readonly rightRows: number
  /** Where the source row came from, when it is known. */
  readonly origin: { readonly file: string; readonly line: number } | null
  /** Likely cause in a few words, for display only; empty when there is none. */
  readonly hint: string
  /** What the run ledger knows of its cause; absent or null where it knows nothing. */
  readonly explanation?: Explanation | null
}

/** A gate that was judged before comparing. */
export interface Gate {
  readonly name: string
  readonly state: 'passed' | 'warned' | 'failed'
  readonly message: string
}

/** The proof of one total column in one group: right - left = explained, unexplained is zero to the last digit. */
export interface ProofLine {
  readonly total: string
  /** Currency or other group, empty where not grouped. */
  readonly group: string
  readonly left: string
  readonly right: string
  readonly difference: string
  /** Explained amounts by kind. */
  readonly explained: Readonly<Record<string, string>>
  readonly unexplained: string
}

/** A side as it was compared. */
export interface SideResult {
  readonly name: string
  readonly rows: number
  /** Instant at which it was taken, ISO. */
  readonly asOf: string
  /** `all`, `business_date = 2026-11-20`, `keys of source`. */
  readonly scope: string
  /** Digest of its canonical rows, hex; addresses the snapshot. */
  readonly digest: string
  /** Files it was made of, by remote name. */
  readonly files: readonly string[]
}

/** How much the breaks of one kind count, against its limits. */
export interface KindVerdict {
  readonly kind: LimitedKind
  /** Breaks of this kind. */
  readonly count: number
  readonly severity: Severity
  /** What is above the limit, or that nothing is, in a few words: `7, more than 5`. */
  readonly why: string
}

/** What a declared control total came to; the groups that differ are breaks. */
export interface ControlResult {
  readonly name: string
  /** Groups that either side has. */
  readonly groups: number
  readonly differing: number
}

/** Rows that may still arrive. */
export interface PendingRows {
  readonly count: number
  /** Instants at which the first and the last of them are due, ISO. */
  readonly firstDue: string
  readonly lastDue: string
  /** Those found first. */
  readonly rows: readonly {
    readonly key: Break['key']
    readonly due: string
    readonly origin: Break['origin']
  }[]
}

/** What many breaks have in common, or what one may be. For display only; over all breaks. */
export interface Patterns {
  /** Of the source; null where it was not mapped. */
  readonly mappingVersion: number | null
  readonly concentrations: readonly Concentration[]
  /** Rows that are missing on both sides and have equal values under different keys. */
  readonly rekeyed: {
    readonly count: number
    /** Those found first. */
    readonly pairs: readonly { readonly left: Break['key']; readonly right: Break['key'] }[]
  }
  /** Differences that equal the amount of exactly one row that a side lacks; those found first. */
  readonly openItems: readonly OpenItem[]
}

/** `count` of `of` breaks share this. */
export interface Concentration {
  readonly what: 'file' | 'column' | 'hint'
  readonly value: string
  readonly count: number
  readonly of: number
}

/** A difference, and the one row of the same amount that a side lacks. */
export interface OpenItem {
  readonly column: string
  readonly delta: string
  /** The key of the mismatch; null for the difference of a whole total. */
  readonly key: Break['key'] | null
  readonly item: Break['key']
  readonly kind: 'missing_in_target' | 'missing_in_source'
}

/** What a comparison gives. Breaks are complete here or in `breaksFile`, never sampled silently. */
export interface Comparison {
  readonly reconciliation: string
  readonly run: RunKey | null
  readonly outcome: Outcome
  readonly gates: readonly Gate[]
  readonly left: SideResult
  readonly right: SideResult
  /** Rows by kind, each side; kinds with two rows count each row on its side. */
  readonly rows: {
    readonly left: Readonly<Record<RowKind, number>>
    readonly right: Readonly<Record<RowKind, number>>
  }
  /** Breaks by kind: keys, not rows. */
  readonly counts: Readonly<Partial<Record<RowKind | BreakKind, number>>>
  /** Equalities won by each rule: `trim on name: 12`. */
  readonly rulesUsed: readonly { readonly rule: string; readonly column: string; readonly count: number }[]
  /** What tolerances let pass, by column and currency: right - left added up with and without signs, exact text; of instants in seconds. */
  readonly tolerated?: readonly {
    readonly column: string
    /** Currency or other group of the column's total; empty where not grouped. */
    readonly group: string
    readonly count: number
    readonly net: string
    readonly gross: string
  }[]
  readonly proof: readonly ProofLine[]
  /** The worst of `verdicts`; a failed gate fails. Absent in comparisons of earlier versions. */
  readonly severity?: Severity
  /** What the outcome would be without the ages of breaks, where these made it another one. */
  readonly outcomeBeforeAges?: Outcome
  /** Kinds that have breaks, with what they count for. */
  readonly verdicts?: readonly KindVerdict[]
  /** Declared control totals, in declared order. */
  readonly controls?: readonly ControlResult[]
  /** Null when no row is pending. */
  readonly pending?: PendingRows | null
  readonly patterns?: Patterns
  /** The first breaks in report order (new first is the report's business), at most BREAKS_IN_MEMORY. */
  readonly breaks: readonly Break[]
  readonly breaksTotal: number
  /** CSV with every break, null when there is none. */
  readonly breaksFile: string | null
}

/** Most breaks held in memory; all of them are in the breaks file. */
export const BREAKS_IN_MEMORY = 10_000
