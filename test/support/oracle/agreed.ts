/**
 * Compares rows written in a test with the engine and with the oracle, and asserts that both give the same
 * lines, byte for byte.
 */
import assert from 'node:assert/strict'
import type { Database } from '../../../lib/db/database.ts'
import type { Comparison } from '../../../lib/model/break.ts'
import type { Value } from '../../../lib/model/table.ts'
import { type Compared, compared, reconcileFolder } from '../compared.ts'
import { testDatabase } from '../postgres.ts'
import { canonicalLines } from './canonical.ts'
import { askOracle, type OracleRow, type OracleTask } from './oracle.ts'

/** A comparison that engine and oracle agree on; `ask` false leaves the oracle out. */
export type Agree = (input: Compared, ask?: boolean) => Promise<Comparison & { readonly csv: string }>

/** `compared`, asserted to be what the oracle says; call it at the top of a test file. A failed gate leaves the oracle nothing to say. */
export async function agreement(): Promise<Agree> {
  const { database } = await testDatabase({ empty: true })
  return agreementIn(reconcileFolder(), database)
}

/** The same in a folder and a database that the caller removes. */
export function agreementIn(folder: string, database: Database): Agree {
  return async (input, ask = true) => {
    const options = { breaksInMemory: Number.MAX_SAFE_INTEGER, ...input.options }
    const result = await compared(folder, { ...input, options })
    if (result.outcome === 'INCONCLUSIVE' || !ask) return result
    const task = taskOf(input, result)
    assert.deepEqual(canonicalLines(result), await database.use(connection => askOracle(connection, task)))
    return result
  }
}

/** The oracle's task for a comparison as tests write it. */
export function taskOf(
  input: Compared,
  { reconciliation, right }: Pick<Comparison, 'reconciliation' | 'right'>,
): OracleTask {
  const { kinds, key, rules, ignore, totals, options } = input
  return {
    name: reconciliation,
    kinds,
    key,
    ...(rules === undefined ? {} : { rules }),
    ...(ignore === undefined ? {} : { ignore }),
    ...(totals === undefined ? {} : { totals }),
    ...(options?.pending === undefined ? {} : { pending: { ...options.pending, asOf: right.asOf } }),
    left: withOrigins('source.csv', input.left),
    right: withOrigins('target.csv', input.right),
  }
}

/** Rows as compared.ts writes them: the first one stands on line 2. */
function withOrigins(file: string, rows: Iterable<readonly Value[]>): OracleRow[] {
  return Array.from(rows, (cells, index) => ({ cells, file, line: index + 2 }))
}
