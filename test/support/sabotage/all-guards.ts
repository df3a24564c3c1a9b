/**
 * Every guard that the sabotage run removes, in the order of a night. A new guard in the product gets
 * a line in one of these lists; test/unit/test/support/sabotage.test.ts holds the lists to the source.
 */
import { FETCH_GUARDS } from './fetch-guards.ts'
import type { Guard } from './guard.ts'
import { LEDGER_GUARDS } from './ledger-guards.ts'
import { LOAD_GUARDS } from './load-guards.ts'
import { RECORD_GUARDS } from './record-guards.ts'
import { REPORT_GUARDS } from './report-guards.ts'

/** All guards. */
export const ALL_GUARDS: readonly Guard[] = [
  ...FETCH_GUARDS,
  ...RECORD_GUARDS,
  ...LOAD_GUARDS,
  ...LEDGER_GUARDS,
  ...REPORT_GUARDS,
]
