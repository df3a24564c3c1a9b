/**
 * The laws of delivery.md, asserted by every load before it commits. Each term is counted on its own
 * (rows sent by us, rows moved, joined and written by the database), so that none can hide another.
 */
import { BugError } from '../model/errors.ts'
import type { RecordCounts } from '../model/mapping.ts'
import type { TableCounts } from '../model/run.ts'

/** read = mapped + rejected + filtered, and as many rejects were kept. @throws BUG_LAW_BROKEN */
export function assertRecordLaw(counts: RecordCounts, rejectsKept: number): void {
  const { read, mapped, rejected, filtered } = counts
  if (read !== mapped + rejected + filtered) {
    broken(`read ${read} = mapped ${mapped} + rejected ${rejected} + filtered ${filtered}`)
  }
  if (rejected !== rejectsKept) broken(`rejected ${rejected} = rejects kept ${rejectsKept}`)
}

/** mapped rows = inserted + updated + unchanged + collapsed + outdated. @throws BUG_LAW_BROKEN */
export function assertTableLaw(counts: TableCounts): void {
  const { table, mapped, inserted, updated, unchanged, collapsed, outdated } = counts
  if (mapped === inserted + updated + unchanged + collapsed + outdated) return
  broken(
    `${table}: mapped ${mapped} = inserted ${inserted} + updated ${updated} + unchanged ${unchanged} + collapsed ${collapsed} + outdated ${outdated}`,
  )
}

function broken(law: string): never {
  throw new BugError(
    'BUG_LAW_BROKEN',
    `A law of the load does not hold: ${law}. Nothing of this load was published.`,
    { details: { law } },
  )
}
