/**
 * The identity of a break: the same difference of the same key has it every night, so that the break
 * ledger can say how long it has been open.
 */
import { createHash } from 'node:crypto'
import type { BreakKind } from '../../lib/model/break.ts'

/** Kinds that are one difference seen in two ways share a family. */
const FAMILIES: Readonly<Record<BreakKind, string>> = {
  unreadable: 'unusable',
  key_invalid: 'unusable',
  duplicate: 'duplicate',
  missing_in_target: 'missing_in_target',
  missing_in_source: 'missing_in_source',
  value_mismatch: 'value',
  control_total: 'control_total',
  net_budget: 'net_budget',
}

/** Identity from the reconciliation's name, the canonical parts of the key (type and text, each with its length) and the kind's family; 32 hex digits. */
export function breakIdentity(
  reconciliation: string,
  kind: BreakKind,
  parts: readonly { readonly kind: string; readonly value: string | null }[],
): string {
  const hash = createHash('sha256')
  hash.update(`break-1\n${encode(reconciliation)}${FAMILIES[kind]}\n`)
  for (const { kind: type, value } of parts)
    hash.update(value === null ? `${type}:null;` : `${type}:${encode(value)}`)
  return hash.digest('hex').slice(0, 32)
}

function encode(text: string): string {
  return `${Buffer.byteLength(text)}:${text};`
}
