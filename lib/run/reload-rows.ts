/**
 * Makes the rows of a plan's reloads anew: the archived files once more through parse and map, as they are
 * now. What comes out must be what was compared; anything else makes the plan stale.
 */
import type { Revision } from '../ledger/revision.ts'
import type { ReloadedRows } from '../load/repair.ts'
import { MapTally } from '../map/map-tally.ts'
import type { ScheduledJob } from '../model/job.ts'
import type { MappedBlock } from '../model/mapping.ts'
import type { StepContext } from '../model/progress.ts'
import type { PlannedChange, ResolutionPlan } from '../model/resolution.ts'
import { qualifiedName, type TableDefinition, type Value } from '../model/table.ts'
import type { Engine } from './engine.ts'
import { contentPathOf } from './fetch-step.ts'
import { stalePlan } from './judge-plan.ts'
import { mappedBlocks, RecordsMeter } from './records.ts'

/** What is looked for in one table. */
class Wanted {
  readonly alias: string
  /** `schema.table`. */
  readonly table: string
  readonly fields: readonly string[]
  readonly #keyFields: readonly string[]
  readonly #keyed: boolean
  readonly #positions = new Map<string, number>()
  readonly found = new Map<number, { row: readonly Value[]; file: number; inSource: number }>()

  constructor(alias: string, table: TableDefinition, changes: readonly (readonly [number, PlannedChange])[]) {
    this.alias = alias
    this.table = qualifiedName(table)
    this.fields = Object.keys(table.columns).filter(field => field !== table.asOf)
    this.#keyed = table.key.length > 0
    this.#keyFields = Object.keys(changes[0]![1].key)
    for (const [position, { key, origin }] of changes)
      this.#positions.set(
        this.#identity(
          this.#keyFields.map(field => key[field] ?? null),
          origin!,
        ),
        position,
      )
  }

  look(row: readonly Value[], file: number, fileName: string, line: number): void {
    const key = this.#keyFields.map(field => textOf(row[this.fields.indexOf(field)]))
    const position = this.#positions.get(this.#identity(key, { file: fileName, line }))
    if (position === undefined) return
    const known = this.found.get(position)
    if (known === undefined) this.found.set(position, { row, file, inSource: 1 })
    else known.inSource += 1
  }

  /** A row with a key is the one of its line; of rows without one all equal ones count. */
  #identity(key: readonly (string | null)[], { file, line }: { file: string; line: number }): string {
    return JSON.stringify(this.#keyed ? [key, file, line] : key)
  }
}

function textOf(value: Value | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}

/**
 * The rows of all reloads of a plan, by place of the change.
 * Cost: the base's files are read and mapped once; memory for the rows that are reloaded.
 * @throws CONFIG_PLAN_STALE when the mapping makes other rows than were compared; PARSE_*, MAP_*
 */
export async function reloadedRows(
  engine: Engine,
  scheduled: ScheduledJob,
  plan: ResolutionPlan,
  base: Revision,
  context: StepContext,
): Promise<Map<number, ReloadedRows>> {
  const wanted = wantedOf(scheduled, plan)
  const rows = new Map<number, ReloadedRows>()
  if (wanted.length === 0) return rows
  const { job } = scheduled
  const input = {
    job: job.name,
    businessDate: plan.businessDate,
    zone: scheduled.zone,
    files: base.files.map(row => ({ row, path: contentPathOf(engine, row) })),
    parse: job.parse,
    mapping: job.map,
  }
  const look = async (block: MappedBlock): Promise<void> => {
    for (const one of wanted) {
      const { rows: mapped, lines } = block.tables[one.alias]!
      const name = base.files[block.file]!.remoteName
      for (let i = 0; i < mapped.length; i += 1) one.look(mapped[i]!, block.file, name, lines[i]!)
    }
  }
  const blocks = mappedBlocks(input, new MapTally(job.map, null), look, new RecordsMeter(), context)
  for await (const _block of blocks) {
    // Looked at on its way; nothing else is done with it.
  }
  for (const one of wanted) {
    for (const [position, { row, file, inSource }] of one.found)
      rows.set(position, { row, inSource, fileId: base.files[file]!.id })
  }
  for (const [position, change] of plan.changes.entries())
    if (change.operation === 'reload') judge(plan, change, wanted, rows.get(position))
  return rows
}

function wantedOf({ job }: ScheduledJob, { changes }: ResolutionPlan): Wanted[] {
  return Object.entries(job.map.tables as Readonly<Record<string, TableDefinition>>).flatMap(
    ([alias, table]) => {
      const mine = [...changes.entries()].filter(
        ([, change]) => change.operation === 'reload' && change.table === qualifiedName(table),
      )
      return mine.length === 0 ? [] : [new Wanted(alias, table, mine)]
    },
  )
}

function judge(
  plan: ResolutionPlan,
  change: PlannedChange,
  wanted: readonly Wanted[],
  made: ReloadedRows | undefined,
): void {
  const where = `line ${change.origin!.line} of ${change.origin!.file}`
  if (made === undefined) throw stalePlan(plan, `the mapping no longer makes the row of ${where}`)
  const { fields } = wanted.find(({ table }) => table === change.table)!
  const other = change.columns.find(column => textOf(made.row[fields.indexOf(column.name)]) !== column.new)
  if (other !== undefined)
    throw stalePlan(plan, `the mapping makes another ${other.name} of ${where} than was compared`)
}
