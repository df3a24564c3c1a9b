/**
 * The picture of a side whose records are mapped while they stream by: a second feed, pages of an API. What
 * can't be read or mapped is in it as an unreadable row with its place; nothing is loaded.
 */
import type { ComparedSide } from '../../reconcile/compare/gates.ts'
import { columnsOfTable } from '../../reconcile/snapshot/columns.ts'
import type { SnapshotPlace } from '../../reconcile/snapshot/finish.ts'
import type { SnapshotFacts } from '../../reconcile/snapshot/manifest.ts'
import type { AppliedScope } from '../../reconcile/snapshot/scope.ts'
import { openSnapshotWriter } from '../../reconcile/snapshot/writer.ts'
import { MapTally } from '../map/map-tally.ts'
import { describeError, MapError, ParseError } from '../model/errors.ts'
import type { MappedBlock, Mapping } from '../model/mapping.ts'
import type { TableDefinition } from '../model/table.ts'

/** What a picture is of. */
export interface MappedSide {
  readonly place: SnapshotPlace
  readonly facts: SnapshotFacts
  readonly table: TableDefinition
  readonly mapping: Mapping
  /** ISO instant. */
  readonly asOf: string
  readonly scope: AppliedScope
  /** What the side is called when it can't be had. */
  readonly absentAs: string
}

/** Takes the picture of what `blocks` gives; absent, with the reason, when the whole can't be read as what it was declared to be. */
export async function snapshotMapped(
  side: MappedSide,
  blocks: (tally: MapTally, tee: (block: MappedBlock) => Promise<void>) => AsyncIterable<MappedBlock>,
): Promise<ComparedSide> {
  const { table, mapping } = side
  const [alias] = Object.entries(mapping.tables).find(([, one]) => one === table)!
  const writer = await openSnapshotWriter(side.place, side.facts, columnsOfTable(table), table.totals)
  const tee = async (block: MappedBlock): Promise<void> => {
    await writer.push(block.file, block.tables[alias]!)
    await writer.pushUnreadable(
      block.file,
      block.rejects.map(({ line, issues, raw }) => ({
        line,
        issue: `${issues[0]!.code}: ${issues[0]!.message}`,
        raw,
      })),
    )
  }
  try {
    const tally = new MapTally(mapping, null)
    for await (const _block of blocks(tally, tee)) {
      // The rows are in the snapshot; nothing else is done with them.
    }
    const { filters } = tally.result()
    return await writer.finish({ asOf: side.asOf, scope: side.scope, leftOut: filters })
  } catch (error) {
    await writer.discard()
    if (!(error instanceof ParseError || error instanceof MapError)) throw error
    // The other side's file is no reason to call tonight's load failed: nothing is proved, and that is told.
    return { name: side.absentAs, absent: describeError(error) }
  }
}
