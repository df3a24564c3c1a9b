/**
 * What a load's mapping adds up to over all its files: record counts, filters, units, control totals,
 * and whether a limit is breached. One tally per load; mapRecords feeds it.
 */
import { MapError } from '../model/errors.ts'
import type { RejectLimit } from '../model/job.ts'
import type { FailedUnit, FilterCount, MappedRows, Mapping, RecordCounts } from '../model/mapping.ts'
import type { TotalResult } from '../model/run.ts'
import type { Value } from '../model/table.ts'
import { TableTotals, TotalSums } from './control-totals.ts'
import { fieldsOf } from './plan.ts'
import { rejectLimitBreach } from './reject-limit.ts'
import { issueOfUnit, Unit } from './unit-fold.ts'

/** What a mapping comes to. The law read = mapped + rejected + filtered holds. */
export interface MapResult {
  /** Records of failed units count as rejected. */
  readonly counts: RecordCounts
  readonly filters: readonly FilterCount[]
  /** Rows by the mapping's table names, without those of failed units. */
  readonly rows: Readonly<Record<string, number>>
  readonly totals: readonly TotalResult[]
  /** In the order in which their first records came. */
  readonly failedUnits: readonly FailedUnit[]
  /** Records rejected on their own; the limit is about these. */
  readonly rejectedAlone: number
  /** Why nothing may be published: a breached limit, or a unit that fails its file. */
  readonly breach: MapError | null
}

interface TallyTable {
  readonly name: string
  readonly fields: readonly string[]
  readonly totals: TableTotals
}

/** Adds up what the mapping of all files of a load gives. */
export class MapTally {
  readonly #mapping: Mapping
  readonly #limit: RejectLimit | null
  readonly #tables: readonly TallyTable[]
  readonly #filters = new Map<string, number>()
  readonly #units = new Map<string, Unit>()
  readonly #loose = new Unit(0, '')
  #last: Unit | null = null
  #read = 0
  #mapped = 0
  #rejected = 0
  #filtered = 0

  constructor(mapping: Mapping, limit: RejectLimit | null) {
    this.#mapping = mapping
    this.#limit = limit
    this.#tables = Object.entries(mapping.tables).map(([name, table]) => ({
      name,
      fields: fieldsOf(table),
      totals: new TableTotals(name, table),
    }))
  }

  /** A record became rows. */
  mapped(file: number, unit: string | null): void {
    this.#read += 1
    this.#mapped += 1
    if (unit !== null) this.#unit(file, unit).mapped += 1
  }

  /** A record was refused, by parse or by map. */
  rejected(file: number, unit: string | null): void {
    this.#read += 1
    this.#rejected += 1
    if (unit !== null) this.#unit(file, unit).rejected += 1
  }

  /** A record was left out on purpose. */
  filtered(reason: string): void {
    this.#read += 1
    this.#filtered += 1
    this.#filters.set(reason, (this.#filters.get(reason) ?? 0) + 1)
  }

  /** The rows of a block. */
  add(file: number, blocks: Readonly<Record<string, MappedRows>>): void {
    for (const table of this.#tables) {
      const { rows, units } = blocks[table.name]!
      if (this.#mapping.unit === null) {
        this.#loose.addRows(table.name, rows.length)
        table.totals.addAll(rows, this.#loose.totals)
        continue
      }
      for (let index = 0; index < rows.length; index += 1)
        this.#addRow(file, table, rows[index]!, units[index]!)
    }
  }

  /** The error of an absolute limit that is breached already, so that reading on is of no use. */
  earlyBreach(): MapError | null {
    if (this.#limit === null || this.#rejected <= this.#limit.maxCount) return null
    return rejectLimitBreach(this.#read, this.#rejected, this.#limit)
  }

  /** The whole, once all files were mapped. Judges units and limits. */
  result(): MapResult {
    const sums = new TotalSums()
    const rows = new Map<string, number>()
    const failedUnits: FailedUnit[] = []
    let fallen = 0
    for (const unit of [this.#loose, ...this.#units.values()]) {
      const failed =
        this.#mapping.unit === null || unit === this.#loose ? null : unit.judge(this.#mapping.unit)
      if (failed !== null) {
        failedUnits.push(failed)
        fallen += unit.mapped
        continue
      }
      sums.addAll(unit.totals)
      for (const [table, count] of unit.rows) rows.set(table, (rows.get(table) ?? 0) + count)
    }
    return {
      counts: {
        read: this.#read,
        mapped: this.#mapped - fallen,
        rejected: this.#rejected + fallen,
        filtered: this.#filtered,
      },
      filters: [...this.#filters].map(([reason, count]) => ({ reason, count })),
      rows: Object.fromEntries(this.#tables.map(({ name }) => [name, rows.get(name) ?? 0])),
      totals: this.#tables.flatMap(({ totals }) => totals.results(sums)),
      failedUnits,
      rejectedAlone: this.#rejected,
      breach: this.#breach(failedUnits),
    }
  }

  #breach(failedUnits: readonly FailedUnit[]): MapError | null {
    const rule = this.#mapping.unit
    const first = failedUnits[0]
    if (rule?.onFailure === 'file' && first !== undefined) {
      return new MapError(
        'MAP_UNIT_FAILS_FILE',
        `${issueOfUnit(first, rule).message} A file with such a ${rule.name} is refused whole (${failedUnits.length} of them): nothing was published and the target is as it was.`,
        { details: { unit: first.unit, failedUnits: failedUnits.length } },
      )
    }
    return this.#limit === null ? null : rejectLimitBreach(this.#read, this.#rejected, this.#limit)
  }

  #addRow(file: number, table: TallyTable, row: readonly Value[], unitName: string | null): void {
    const unit = unitName === null ? this.#loose : this.#unit(file, unitName)
    unit.addRows(table.name, 1)
    table.totals.add(row, unit.totals)
    const rule = this.#mapping.unit
    if (rule === null || unit === this.#loose) return
    const named: Record<string, Value> = {}
    for (let index = 0; index < table.fields.length; index += 1) named[table.fields[index]!] = row[index]!
    for (const term of rule.terms(table.name, named)) unit.term(term)
  }

  #unit(file: number, name: string): Unit {
    const last = this.#last
    if (last !== null && last.file === file && last.name === name) return last
    const key = `${file}/${name}`
    let unit = this.#units.get(key)
    if (unit === undefined) {
      unit = new Unit(file, name)
      this.#units.set(key, unit)
    }
    this.#last = unit
    return unit
  }
}
