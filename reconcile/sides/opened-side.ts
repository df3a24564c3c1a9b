/**
 * A side that was given by hand (a file or a query), opened far enough to know its columns. Which of
 * them take part is decided with the other side in match-columns.ts; then the snapshot is taken.
 */
import { ConfigError } from '../../lib/model/errors.ts'
import type { ValueKind } from '../snapshot/columns.ts'
import type { SnapshotPlace } from '../snapshot/finish.ts'
import type { Snapshot } from '../snapshot/manifest.ts'

/** A column of a side; `kind` null where the source declares no type, as in delimited text. */
export interface SideColumn {
  readonly name: string
  readonly kind: ValueKind | null
}

/** A column that takes part: its own name, and the one both sides have in the comparison. */
export interface TakenColumn {
  readonly name: string
  readonly own: string
}

/** An opened side. */
export interface OpenedSide {
  /** For people: the file's name, or the beginning of the query. */
  readonly name: string
  readonly columns: readonly SideColumn[]
  /** What was guessed or is worth saying. */
  readonly notes: readonly string[]
  /** Takes the snapshot with these columns. */
  take(side: 'source' | 'target', columns: readonly TakenColumn[]): Promise<Snapshot>
  close(): Promise<void>
}

/** What opening a side needs. */
export interface SidePlace extends SnapshotPlace {
  /** SQL condition over the side's columns; null takes all rows. */
  readonly where: string | null
}

/** The error for a condition that can't be evaluated. */
export function whereInvalid(where: string, name: string, cause: unknown): ConfigError {
  const told =
    cause instanceof Error
      ? (cause.message.match(/a statement: (.*?)\. Nothing/s)?.[1] ?? cause.message)
      : String(cause)
  return new ConfigError(
    'CONFIG_WHERE_INVALID',
    `The condition where=${where} can't be used on ${name}: ${told}.${/explicit cast/.test(told) ? ' Columns of delimited and XML files are text; cast them to compare numbers: amount::decimal(18,2) > 10.' : ''} Nothing was compared.`,
    { cause },
  )
}
