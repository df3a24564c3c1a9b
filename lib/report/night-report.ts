/**
 * The report of a night as a value: what happened to one business date of one job, masked and in
 * the order in which people ask. assemble.ts makes it, document/ says it, attach/ lists it in full.
 */
import type { BreakKind, Comparison, ProofLine, RowKind, SideResult } from '../model/break.ts'
import type { TallymanError } from '../model/errors.ts'
import type { Explanation } from '../model/explanation.ts'
import type { Reject } from '../model/issue.ts'
import type { AnyJob, LoadSpec, ShadowSpec } from '../model/job.ts'
import type { FailedUnit, FilterCount } from '../model/mapping.ts'
import type { RowOfNights } from '../model/row-of-nights.ts'
import type { FileResult, LoadResult, RunKey, StepResult, TotalResult, Trigger } from '../model/run.ts'
import type { Step } from '../model/steps.ts'
import type { BreakHistory, BreakState, EarlierReport, Standing, TrendNight } from './break-history.ts'
import type { JudgedComparison } from './judged-comparison.ts'
import type { ShadowReport } from './shadow-words.ts'

/** How a night ended, worst first: the first that holds is the mail's. `LOADED`: without rejects, and nothing is compared. */
export const STATUSES = [
  'FAILED',
  'INCONCLUSIVE',
  'BREAKS',
  'REJECTS',
  'CLEAN',
  'LOADED',
  'NOTHING TO DO',
] as const
export type Status = (typeof STATUSES)[number]

/** A file that a correction took the place of. */
export interface ReplacedFile {
  /** Name of the file that replaces it. */
  readonly by: string
  readonly name: string
  /** Instant, ISO. */
  readonly receivedAt: string
}

/** Everything a report is assembled from. Values are as stored: masking is assembled in. */
export interface NightReportInput {
  readonly job: Pick<AnyJob, 'name' | 'purpose' | 'owner' | 'ifLate' | 'map'> & {
    /** Absent in a job that only compares. */
    readonly load?: LoadSpec
    /** Only in a job that only compares. */
    readonly shadow?: ShadowSpec | null
  }
  /** How many nights in a row are CLEAN, for a job in shadow of another system. */
  readonly row?: RowOfNights | null
  readonly run: RunKey
  readonly attempt: number
  readonly trigger: Trigger
  readonly revision: number | null
  /** Number of the comparison (T6): the Message-ID derives from it; null when none was made. */
  readonly comparison: number | null
  readonly environment: { readonly name: string; readonly production: boolean }
  /** Instant of the report, ISO, from the clock. */
  readonly at: string
  /** `nothing-to-do`: the file set is the applied one. `failed` goes with `failure`. */
  readonly state: 'done' | 'nothing-to-do' | 'failed'
  readonly files: readonly FileResult[]
  readonly replaces: readonly ReplacedFile[]
  readonly steps: readonly StepResult[]
  /** Null before the load; with `published` false these counts took no effect. */
  readonly load: LoadResult | null
  /** Plans may be made for differences of this job. */
  readonly resolvable?: boolean
  /** The load applied a plan of changes: its records are these changes. */
  readonly resolution?: boolean
  readonly published: boolean
  /** Lines such as "unknown extra column", with their file's name. */
  readonly warnings: readonly string[]
  /** The first rejects; `rejectsByCode` counts all of them. */
  readonly rejects: readonly Reject[]
  readonly rejectsByCode: readonly { readonly code: string; readonly count: number }[]
  readonly failedUnits: readonly FailedUnit[]
  readonly comparisons: readonly {
    readonly result: Comparison
    readonly history: BreakHistory | null
    /** File with the explanations of all breaks, a line of identity and JSON each. */
    readonly explanationsFile?: string
  }[]
  readonly failure: { readonly error: TallymanError; readonly nextAttemptAt: string | null } | null
  readonly replacesReport: EarlierReport | null
  /** Where docs/ can be read, `https://...`; null: the path in the checkout is named. */
  readonly docsUrl: string | null
}

/** A command and what it is for. */
export interface Command {
  readonly purpose: string
  readonly line: string
}

/** Numbers that must add up: `read = mapped + rejected + filtered`. */
export interface Law {
  readonly subject: string
  readonly whole: { readonly label: string; readonly value: number }
  readonly parts: readonly { readonly label: string; readonly value: number }[]
  /** Counted apart from the law. */
  readonly apart: readonly { readonly label: string; readonly value: number }[]
  readonly holds: boolean
}

/** A file of the night. */
export interface FileReport extends FileResult {
  /** `replaces ORDERS_20261119.csv received ...: 40 rows deleted, 41 inserted`, empty when it replaces nothing. */
  readonly replaces: string
}

/** One issue of one reject, with its place. */
export interface RejectLine {
  readonly file: string
  readonly line: number
  readonly step: Step
  readonly unit: string | null
  readonly code: string
  readonly column: string | null
  readonly field: string | null
  readonly value: string | null
  readonly rule: string
  readonly raw: string
}

/** A break as the mail shows it. */
export interface BreakLine {
  readonly identity: string
  readonly state: BreakState
  readonly kind: BreakKind
  readonly key: readonly { readonly name: string; readonly value: string | null }[]
  readonly columns: readonly BreakValue[]
  readonly leftRows: number
  readonly rightRows: number
  readonly origin: { readonly file: string; readonly line: number } | null
  readonly hint: string
  readonly firstSeen: string | null
  readonly businessDays: number
  readonly owner: string | null
  readonly acknowledgement?: Standing
  /** What the run ledger knows of its cause, null for nothing. */
  readonly explanation: Explanation | null
}

/** Both values of one column of a break; `numeric` ones are written as amounts. */
export interface BreakValue {
  readonly name: string
  readonly left: string | null
  readonly right: string | null
  readonly delta: string | null
  readonly nature: string
  readonly numeric: boolean
  readonly scale: number | null
}

/** How many breaks are in which state. */
export interface Changes {
  readonly new: number
  readonly persisting: number
  readonly changed: number
  readonly reopened: number
  readonly acknowledged: number
  readonly resolved: number
  readonly pending: number
}

/** How many open breaks are between two ages, in business days. */
export interface AgeBand {
  readonly from: number
  /** Null for the last band. */
  readonly to: number | null
  readonly count: number
}

/** One comparison of the night. */
export interface ComparisonReport extends JudgedComparison {
  readonly name: string
  readonly left: SideResult
  readonly right: SideResult
  readonly rows: Readonly<Record<RowKind, { readonly left: number; readonly right: number }>>
  readonly proof: readonly ProofLine[]
  /** The amounts of the first total that are not proved equal, by group, added without their signs. */
  readonly atRisk: readonly { readonly total: string; readonly group: string; readonly amount: string }[]
  readonly changes: Changes
  /** Oldest open break in business days, null when all are new. */
  readonly oldest: number | null
  /** New, then oldest, then largest; acknowledged ones are not among them. */
  readonly breaks: readonly BreakLine[]
  readonly acknowledged: readonly BreakLine[]
  readonly breaksTotal: number
  readonly breaksFile: string | null
  /** Empty when nothing was proved. */
  readonly trend: readonly TrendNight[]
  /** Open breaks by age, youngest first; empty when not all of them are known here. */
  readonly ages: readonly AgeBand[]
  readonly resolved: readonly {
    readonly kind: BreakKind
    readonly key: BreakLine['key']
    readonly firstSeen: string
    readonly cause: string
  }[]
}

/** What went wrong, for a failure mail. */
export interface FailureReport {
  readonly code: string
  readonly step: TallymanError['step']
  readonly message: string
  /** What of the message is to be copied as it stands, such as statements; empty when there is nothing. */
  readonly toCopy: string
  readonly next: string
  readonly facts: readonly { readonly name: string; readonly value: string }[]
  /** The code's row in docs/errors.md and the runbook. */
  readonly links: readonly { readonly label: string; readonly target: string }[]
}

/** A unit that does not tie. */
export interface UnitReport {
  readonly file: string
  readonly unit: string
  readonly records: number
  readonly differences: FailedUnit['differences']
  /** What else is wrong: `closing balance missing`, `2 records unreadable`. */
  readonly remarks: readonly string[]
}

/** The report of one night of one job. Pure data, masked. */
export interface NightReport {
  readonly status: Status
  readonly job: {
    readonly name: string
    readonly purpose: string
    readonly owner: string
    readonly ifLate: string
  }
  readonly run: RunKey
  readonly attempt: number
  readonly trigger: Trigger
  readonly revision: number | null
  /** What was loaded is a plan of changes that resolves differences, not files. */
  readonly resolution?: boolean
  readonly comparison: number | null
  readonly environment: { readonly name: string; readonly production: boolean }
  readonly at: string
  /** What happened, in a sentence for someone who knows the business and not the machine. */
  readonly headline: string
  /** What to do, in sentences. */
  readonly action: string
  readonly replacesReport: NightReportInput['replacesReport']
  /** The job moves no records. */
  readonly comparesOnly: boolean
  readonly shadow: ShadowReport | null
  readonly published: boolean
  readonly failure: FailureReport | null
  readonly files: readonly FileReport[]
  readonly warnings: readonly string[]
  readonly steps: readonly StepResult[]
  readonly laws: readonly Law[]
  readonly totals: readonly TotalResult[]
  readonly filters: readonly FilterCount[]
  readonly rejectsTotal: number
  /** Records that `rejects` tells of. */
  readonly rejectsHeld: number
  readonly rejectsByCode: NightReportInput['rejectsByCode']
  readonly rejects: readonly RejectLine[]
  /** Noun of the job's units, `statement`. */
  readonly unitName: string
  readonly unitLaw: string
  readonly failedUnits: readonly UnitReport[]
  readonly comparisons: readonly ComparisonReport[]
  readonly commands: readonly Command[]
}
