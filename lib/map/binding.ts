/**
 * A mapping bound to the columns of one file: record in, rows or one reject out. Column names became
 * positions and fields became closures before the first record; nothing is looked up by name per row.
 */
import { BugError, MapError } from '../model/errors.ts'
import { boundedRaw, type Issue, issue } from '../model/issue.ts'
import type { BoundMapping, MapContext, MappedOutput } from '../model/mapping.ts'
import type { RecordShapes, SourceRecord, SourceValue } from '../model/record.ts'
import type { TableDefinition, Value } from '../model/table.ts'
import { type Maker, type Place, SPREAD_NAME, SPREAD_VALUE, sourceText } from './field.ts'
import { columnsUsed, type Filter, fieldsOf, type Plan, type RecordPlan } from './plan.ts'
import { keysOfRecord } from './reject-keys.ts'
import { rowJudge } from './row-checks.ts'
import { guarded } from './scalar.ts'

/** Most issues that one reject lists; a wide record can have hundreds. */
const ISSUES_KEPT = 50

interface BoundTable {
  readonly name: string
  /** In the order of the table's columns. */
  readonly makers: readonly Maker[]
  readonly judge: ((row: readonly Value[], issues: Issue[]) => void) | null
}

interface BoundFilter {
  readonly filter: Filter
  readonly positions: readonly number[]
}

interface BoundKind {
  readonly tables: readonly BoundTable[]
  /** The table of a kind that becomes exactly one row; null where it may become more or less. */
  readonly only: BoundTable | null
  readonly filters: readonly BoundFilter[]
  /** Positions of the unit's key; empty where the mapping has no units. */
  readonly unit: readonly number[]
  readonly spread: {
    readonly names: readonly string[]
    readonly positions: readonly number[]
    readonly nulls: ReadonlySet<string>
    readonly width: number
  } | null
  counted: number
  countedUnit: string | null
}

/** Positions of columns in a file's records. */
type Positions = (column: string) => number

function positionsOf(plan: Plan, kind: string, shape: readonly string[]): Positions {
  const positions = new Map(shape.map((column, position) => [column, position]))
  positions.set(SPREAD_NAME, shape.length)
  positions.set(SPREAD_VALUE, shape.length + 1)
  const lacking = [...columnsUsed(plan, kind)].filter(column => !positions.has(column))
  if (lacking.length > 0) {
    throw new MapError(
      'MAP_COLUMN_MISSING',
      `Records of kind ${kind} have no column ${lacking.map(column => JSON.stringify(column)).join(', ')}, which mapping ${plan.name} needs. Nothing of this file is loaded until the partner or the mapping is corrected.`,
      { details: { mapping: plan.name, kind, columns: lacking } },
    )
  }
  return column => positions.get(column)!
}

function bindTable(
  plan: Plan,
  record: RecordPlan,
  name: string,
  positions: Positions,
  context: MapContext,
  place: Place,
): BoundTable {
  const table: TableDefinition = plan.tables[name]!
  const fields = fieldsOf(table)
  const makers = fields.map(field => {
    const definition = record.tables[name]![field]!
    return definition.make({
      field,
      target: table.columns[field]!,
      positions: definition.columns.map(positions),
      context,
      nulls: plan.nulls,
      place,
    })
  })
  const checks = record.checks[name] ?? []
  return { name, makers, judge: checks.length === 0 ? null : rowJudge(fields, checks) }
}

function bindKind(
  plan: Plan,
  kind: string,
  shape: readonly string[],
  context: MapContext,
  place: Place,
): BoundKind {
  const record = plan.records[kind]!
  const positions = positionsOf(plan, kind, shape)
  const { spread } = record
  const tables = Object.keys(record.tables).map(name =>
    bindTable(plan, record, name, positions, context, place),
  )
  return {
    tables,
    only: tables.length === 1 && spread === null ? tables[0]! : null,
    filters: record.filters.map(filter => ({ filter, positions: filter.columns.map(positions) })),
    unit: (plan.unit?.key[kind] ?? []).map(positions),
    spread:
      spread === null
        ? null
        : {
            names: spread.columns,
            positions: spread.columns.map(positions),
            nulls: new Set([...plan.nulls, ...spread.nulls]),
            width: shape.length,
          },
    counted: 0,
    countedUnit: null,
  }
}

function unitText(values: readonly SourceValue[], positions: readonly number[]): string | null {
  let text = ''
  for (const position of positions) {
    const part = sourceText(values[position])
    if (part !== null && part !== '') text = text === '' ? part : `${text} ${part}`
  }
  return text === '' ? null : text
}

/** Binds a plan to a file. @throws MAP_COLUMN_MISSING */
export function bindPlan(plan: Plan, shapes: RecordShapes, context: MapContext): BoundMapping {
  const place: Place = { line: 0, storable: false, ordinal: 0, spread: null }
  const kinds = new Map<string, BoundKind>()
  for (const kind of Object.keys(plan.records)) {
    const shape = shapes.get(kind)
    if (shape !== undefined) kinds.set(kind, bindKind(plan, kind, shape, context, place))
  }
  return new Binding(plan, kinds, place, context.file)
}

class Binding implements BoundMapping {
  readonly #plan: Plan
  readonly #kinds: ReadonlyMap<string, BoundKind>
  readonly #place: Place
  readonly #file: number
  #given = 0
  #issues: Issue[] = []
  #lastKind: string | null = null
  #last: BoundKind | null = null

  constructor(plan: Plan, kinds: ReadonlyMap<string, BoundKind>, place: Place, file: number) {
    this.#plan = plan
    this.#kinds = kinds
    this.#place = place
    this.#file = file
  }

  unitOf(record: SourceRecord): string | null {
    return unitText(record.values, this.#kind(record).unit)
  }

  map(record: SourceRecord, out: MappedOutput): void {
    const kind = this.#kind(record)
    const unit = kind.unit.length === 0 ? null : unitText(record.values, kind.unit)
    this.#enter(record, kind, unit)
    if (kind.unit.length > 0 && unit === null) this.#issues.push(this.#unitMissing())
    const reason = this.#filterReason(kind, record.values)
    if (reason !== null && this.#issues.length === 0) {
      out.filtered(reason)
      return
    }
    if (kind.only !== null) {
      const row = this.#row(kind.only, record.values)
      if (this.#issues.length > 0) {
        this.#reject(record, unit, out, kind, [row])
        return
      }
      this.#put(row, kind.only, record, unit, out)
    } else {
      const rows =
        kind.spread === null ? this.#rows(kind, record.values) : this.#spreadRows(kind, record.values)
      if (this.#issues.length > 0) {
        this.#reject(record, unit, out, kind, rows)
        return
      }
      for (let index = 0; index < rows.length; index += 1)
        this.#put(rows[index]!, kind.tables[index % kind.tables.length]!, record, unit, out)
    }
    out.mapped(unit)
  }

  #put(
    row: Value[],
    { name }: BoundTable,
    { line }: SourceRecord,
    unit: string | null,
    out: MappedOutput,
  ): void {
    const target = out.tables[name]!
    target.lines.push(line)
    target.ordinals.push(this.#given - 1)
    target.units.push(unit)
    target.rows.push(row)
  }

  #reject(
    record: SourceRecord,
    unit: string | null,
    out: MappedOutput,
    kind: BoundKind,
    rows: Value[][],
  ): void {
    const keys = keysOfRecord(this.#plan.tables, kind.tables, rows)
    out.rejects.push({
      file: this.#file,
      line: record.line,
      step: 'map',
      raw: boundedRaw(record.raw()),
      unit,
      issues: this.#issues.slice(0, ISSUES_KEPT),
      ...(keys.length === 0 ? {} : { keys }),
    })
    this.#issues = []
  }

  #kind(record: SourceRecord): BoundKind {
    if (record.kind === this.#lastKind) return this.#last!
    const kind = this.#kinds.get(record.kind)
    if (kind !== undefined) {
      this.#lastKind = record.kind
      this.#last = kind
      return kind
    }
    throw new BugError(
      'BUG_RECORD_KIND_UNKNOWN',
      `Mapping ${this.#plan.name} was given a record of kind ${record.kind}, for which it has no rule. The run stops before anything is loaded.`,
    )
  }

  #enter(record: SourceRecord, kind: BoundKind, unit: string | null): void {
    this.#given += 1
    if (unit !== kind.countedUnit) {
      kind.countedUnit = unit
      kind.counted = 0
    }
    kind.counted += 1
    this.#place.line = record.line
    this.#place.storable = record.storable === true
    this.#place.ordinal = kind.counted
    this.#place.spread = null
  }

  #unitMissing(): Issue {
    const { name } = this.#plan.unit!
    return issue('MAP_UNIT_MISSING', `The record does not say which ${name} it belongs to.`)
  }

  #filterReason(kind: BoundKind, values: readonly SourceValue[]): string | null {
    for (const { filter, positions } of kind.filters) {
      const inputs = positions.map(position => values[position] ?? null)
      const result = guarded(() => filter.when(inputs))
      if (result === true) return filter.reason
      if (typeof result === 'object')
        this.#issues.push(issue(result.code, `The filter "${filter.reason}" ${result.message}.`))
    }
    return null
  }

  /** One row per table, in the order of `kind.tables`. */
  #rows(kind: BoundKind, values: readonly SourceValue[]): Value[][] {
    return kind.tables.map(table => this.#row(table, values))
  }

  #row({ makers, judge }: BoundTable, values: readonly SourceValue[]): Value[] {
    const issues = this.#issues
    const row: Value[] = new Array(makers.length)
    const before = issues.length
    for (let index = 0; index < makers.length; index += 1) row[index] = makers[index]!(values, issues)
    // A check of the whole row is judged only on rows whose fields are all right.
    if (judge !== null && issues.length === before) judge(row, issues)
    return row
  }

  #spreadRows(kind: BoundKind, values: readonly SourceValue[]): Value[][] {
    const { names, positions, nulls, width } = kind.spread!
    const widened = [...values.slice(0, width), null, null] as SourceValue[]
    const rows: Value[][] = []
    for (let index = 0; index < names.length; index += 1) {
      const value = values[positions[index]!] ?? null
      if (value === null || value === '' || (typeof value === 'string' && nulls.has(value))) continue
      this.#place.spread = names[index]!
      widened[width] = names[index]!
      widened[width + 1] = value
      rows.push(...this.#rows(kind, widened))
    }
    return rows
  }
}
