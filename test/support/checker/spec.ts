/**
 * What the checker is told about a night, and what it says. All of it is paths and names: what is
 * true it finds out by itself. Who makes such a spec in a test is ../run-check.ts.
 */

/** A file as a partner sent it, in the order of arrival. */
export interface Delivery {
  readonly endpoint: string
  readonly name: string
  /** An untouched copy, out of the engine's reach. */
  readonly path: string
}

/** What is to become of a remote file after its load. */
export type After = 'leave' | 'delete' | { readonly move: string }

/** Everything the checker may look at. */
export interface CheckSpec {
  /** URL of the database with run ledger and targets. */
  readonly database: string
  readonly deliveries: readonly Delivery[]
  /** Folder that each partner's server serves, by endpoint. */
  readonly remote: Readonly<Record<string, string>>
  /** T3 by job; `leave` where not named. */
  readonly after: Readonly<Record<string, After>>
  /** The engine's data folder: archive, outbox, work, bodies. */
  readonly dataFolder: string
  /** JSON file with the mails that the mail server accepted: `[{ "to": [..], "raw": ".." }]`. */
  readonly mailbox: string
  /** JSON file with what the API saw and holds: `{ "requests": [..], "rows": [..], "effects": [..] }`; null without one. */
  readonly api: string | null
  /** Answers of the mail server that were lost on purpose: so many second copies are right. */
  readonly lostMailAnswers: number
  /** `job date` that are not to be loaded: nothing of them may have taken effect. */
  readonly notLoaded: readonly string[]
  /** Rows that a constraint of the target refuses: their records are rejects. */
  readonly refused: readonly Refused[]
}

/** Rows of a table with this value in this column. */
export interface Refused {
  readonly table: string
  readonly column: string
  readonly value: string
}

/** All that can be found, sorted. Each has a planted defect in test/end-to-end/checker.test.ts. */
export const FINDING_KINDS = [
  ...['archive-wrong', 'body-left', 'call-changed', 'call-invented', 'call-undecided'],
  ...['effect-doubled', 'effect-without-call', 'effect-without-load'],
  ...['file-not-applied', 'file-unknown', 'file-wrongly-applied', 'law-broken'],
  ...['load-left-open', 'load-without-effect', 'lock-held'],
  ...['mail-doubled', 'mail-failed', 'mail-lost', 'mail-unknown'],
  ...['night-uncompared', 'night-unfinished', 'night-untold', 'part-left', 'rejects-differ', 'remote-wrong'],
  ...['revision-left-frozen', 'row-changed', 'row-doubled', 'row-missing', 'row-unexplained'],
  ...[
    'rows-unaccounted',
    'run-missing',
    'run-not-at-rest',
    'run-not-done',
    'staging-left',
    'transaction-open',
  ],
] as const

/** What kind of wrong it is. */
export type FindingKind = (typeof FINDING_KINDS)[number]

/** Something that is not as it must be. */
export interface Finding {
  readonly kind: FindingKind
  /** What it is about: a table and key, a file, a run, a mail. */
  readonly subject: string
  readonly message: string
}

/** A row of a target by column, every value as canonical text. */
export type Row = Readonly<Record<string, string | null>>

/** What a partner's file comes to, worked out from its bytes alone. */
export interface Expected {
  readonly read: number
  readonly filtered: number
  /** Lines of records that must be rejected, ascending. */
  readonly rejected: readonly number[]
  readonly rows: Readonly<Record<string, readonly Row[]>>
  /** Why nothing of the file may be loaded; null when it may. */
  readonly unusable: string | null
}
