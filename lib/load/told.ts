/**
 * What is kept of a load besides its counts, so that the mail is the same when another attempt has
 * to write it. Shared by both kinds of load.
 */
import { FAILED_UNITS_TOLD, type LoadTold } from '../model/run.ts'
import type { MapSummary } from './load-input.ts'

/** What is worth telling of a load, bounded. */
export function toldOf(
  mapped: MapSummary | null,
  warnings: readonly string[],
  withheldDeletes: number,
): LoadTold {
  return {
    failedUnits: mapped?.failedUnits.slice(0, FAILED_UNITS_TOLD) ?? [],
    warnings,
    withheldDeletes,
  }
}
