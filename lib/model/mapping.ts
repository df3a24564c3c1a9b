/**
 * What a mapping is, for everyone who gets one: map runs it, docs print it, reconcile reads its
 * tables. Mappings are written with defineMapping and the field readers of lib/map.
 */
import type { Decimal } from './decimal.ts'
import type { Reject } from './issue.ts'
import type { RecordShapes, SourceRecord } from './record.ts'
import type { TableDefinition, Value } from './table.ts'

/** What a mapping may know besides its record: nothing that differs between two runs of the same revision. */
export interface MapContext {
  readonly job: string
  /** The run's business date, `yyyy-MM-dd`. */
  readonly businessDate: string
  /** IANA zone of the job, for fields that do not name their own. */
  readonly zone: string
  /** Position of the file in the revision, from 0. */
  readonly file: number
}

/** How one target field comes about: for the page, the lineage and the reject messages. */
export interface FieldLineage {
  readonly field: string
  /** Source columns it is read from; empty for values of the run or constants. */
  readonly sources: readonly string[]
  /** The rule in words: `decimal, comma, at most 2 places`. */
  readonly rule: string
  readonly doc: string
}

/** Rows for one table, in step: `rows[i]` came from record `ordinals[i]` on line `lines[i]` and belongs to `units[i]`. */
export interface MappedRows {
  readonly lines: number[]
  /**
   * The record's position among the records of its file given to `BoundMapping.map`, from 0; a binding counts
   * its own calls. With the file it is the record's identity: several XML records may start on one line.
   */
  readonly ordinals: number[]
  readonly units: (string | null)[]
  /** Values by position of the table's columns without its asOf column. */
  readonly rows: Value[][]
}

/** Counts of records; the law is read = mapped + rejected + filtered. */
export interface RecordCounts {
  readonly read: number
  readonly mapped: number
  readonly rejected: number
  readonly filtered: number
}

/** Mapped rows and rejects of some consecutive records of one file. */
export interface MappedBlock {
  readonly file: number
  /** By the mapping's table names. */
  readonly tables: Readonly<Record<string, MappedRows>>
  readonly rejects: readonly Reject[]
  readonly counts: RecordCounts
}

/** A signed term of a unit's law; a unit ties when the terms of each group sum to zero. */
export interface UnitTerm {
  /** Normally the currency. */
  readonly group: string
  readonly amount: Decimal
  /** What it is, for the reject: `opening balance`. */
  readonly label: string
  /** Counts only where its group has no other term of this label: a previous closing balance for a missing opening one. */
  readonly standIn?: boolean
}

/** Records that stand or fall together (a statement, an order). */
export interface UnitRule {
  /** Singular noun: `statement`. */
  readonly name: string
  readonly doc: string
  /** The terms that a mapped row of a table contributes. Rows by field name. Pure. */
  readonly terms: (table: string, row: Readonly<Record<string, Value>>) => readonly UnitTerm[]
  /** The law in words: `opening + movements = closing`. */
  readonly law: string
  /** Labels of terms that a unit must state, and at most once in each group: without them it proves nothing. */
  readonly stated: readonly string[]
  /** What happens when one does not tie: its records are rejected, or the whole file is. Default unit. */
  readonly onFailure: 'unit' | 'file'
}

/** A unit whose records are all rejected: it does not tie, or it can't be judged because something of it is missing. */
export interface FailedUnit {
  readonly file: number
  readonly unit: string
  /** All its records that were given to map, filtered ones left out. */
  readonly records: number
  /** Labels of `UnitRule.stated` that it does not state. */
  readonly missing: readonly string[]
  /** Labels of `UnitRule.stated` that it states more than once in a group. */
  readonly repeated: readonly string[]
  /** By group: the sum that should have been zero, negated: closing - opening - movements. Exact text. */
  readonly differences: readonly { readonly group: string; readonly difference: string }[]
  /** Records of the unit that were rejected on their own, so that it could not tie. */
  readonly rejectedRecords: number
}

/** Why records of a kind are left out on purpose, and how many were. */
export interface FilterCount {
  readonly reason: string
  readonly count: number
}

/** A mapping bound to the columns of one file: turns its records into rows. */
export interface BoundMapping {
  /** Maps one record into `out`; all issues of the record become one reject. Never throws for bad data. */
  map(record: SourceRecord, out: MappedOutput): void
  /** The unit of a record, null where the mapping has none; counts nothing, so a second pass over the file may ask. */
  unitOf(record: SourceRecord): string | null
}

/** Where a bound mapping puts what it makes. */
export interface MappedOutput {
  readonly tables: Readonly<Record<string, MappedRows>>
  readonly rejects: Reject[]
  /** Counts records and says their unit; the reason of a filtered one is noted. */
  mapped(unit: string | null): void
  filtered(reason: string): void
}

/** A mapping as the engine sees it. `Tables` maps its table names to row types. */
export interface Mapping<
  Tables extends Readonly<Record<string, unknown>> = Readonly<Record<string, unknown>>,
> {
  readonly name: string
  /** Raised by hand when the meaning changes; recorded with each load, never part of a file's identity. */
  readonly version: number
  readonly doc: string
  readonly tables: { readonly [K in keyof Tables]: TableDefinition<Tables[K]> }
  /** Source columns needed, by record kind: the header contract. */
  readonly sources: Readonly<Record<string, readonly string[]>>
  /** By record kind, by table. */
  readonly lineage: Readonly<Record<string, Readonly<Record<string, readonly FieldLineage[]>>>>
  /** Reasons for which records are left out, by record kind; for the page. */
  readonly filters?: Readonly<Record<string, readonly string[]>>
  readonly unit: UnitRule | null
  /** @throws MAP_COLUMN_MISSING when the file lacks a column that a field needs. */
  bind(shapes: RecordShapes, context: MapContext): BoundMapping
}
