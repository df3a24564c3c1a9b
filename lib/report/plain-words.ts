/**
 * Words of the engine as the reader of a mail knows them: sides, their scope, checks and kinds of
 * differences. The engine's own words stay in the laws, in the attachments and on the pages of docs.
 */
import type { Gate, SideResult } from '../model/break.ts'

/** The side that a run made of its own files is called so by the engine (lib/run/reconcile-step.ts). */
const OWN_SIDE = 'mapped records'
const DELIVERED = 'delivered records'

/** A side with name and scope in plain words. */
export function plainSide(side: SideResult): SideResult {
  return { ...side, name: side.name === OWN_SIDE ? DELIVERED : side.name, scope: plainScope(side.scope) }
}

function plainScope(scope: string): string {
  if (scope === '' || scope === 'all') return 'all rows'
  if (scope.startsWith('keys of ')) return 'rows whose key the other side has'
  return `rows with ${scope}`
}

/** A check before comparing, named for what was looked at. */
export function plainGate(gate: Gate, sides: { readonly left: string; readonly right: string }): Gate {
  const match = /^(left|right) (.+)$/.exec(gate.name)
  if (match === null) return gate
  const side = sides[match[1] as 'left' | 'right']
  return {
    ...gate,
    name: nameOf(match[2]!, side, gate.state),
    message: gate.message.replaceAll(OWN_SIDE, DELIVERED),
  }
}

function nameOf(what: string, side: string, state: Gate['state']): string {
  if (what === 'present') return `${side} ${state === 'failed' ? 'missing' : 'there'}`
  if (what === 'schema') return `columns of ${side}`
  return `${what} of ${side}`
}

/** A kind of rows or breaks: `missing in sales.order_line`, `value differs`. */
export function plainKind(kind: string, sides: { readonly left: string; readonly right: string }): string {
  switch (kind) {
    case 'missing_in_target':
      return `missing in ${sides.right}`
    case 'missing_in_source':
      return `missing in ${sides.left}`
    case 'value_mismatch':
      return 'value differs'
    case 'duplicate':
      return 'key not unique'
    case 'currency':
      return 'currency differs'
    case 'control_total':
      return 'control total differs'
    case 'net_budget':
      return 'tolerances above their budget'
    case 'key_invalid':
      return 'key incomplete'
    case 'pending':
      return 'not due yet'
    case 'within_tolerance':
      return 'within tolerance'
    case 'equal_after_rules':
      return 'equal by a rule'
    default:
      return kind.replaceAll('_', ' ')
  }
}
