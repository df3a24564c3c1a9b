/**
 * Gates: what must hold before a comparison proves anything. A failed gate makes the outcome
 * INCONCLUSIVE: nothing is compared, and no break is made, aged or resolved by it.
 */
import type { Gate } from '../../lib/model/break.ts'
import { compareDecimals, parseDecimal } from '../../lib/model/decimal.ts'
import type { Snapshot } from '../snapshot/manifest.ts'
import { type ComparePlan, columnsOf } from './plan.ts'
import type { SideName } from './side-rows.ts'

/** A side that can't be had, and why, in a sentence. */
export interface AbsentSide {
  readonly absent: string
  readonly name: string
}

/** A side of a comparison. */
export type ComparedSide = Snapshot | AbsentSide

/** A total that a side states about itself, or that another source states about it. */
export interface StatedTotal {
  readonly side: SideName
  /** `rows`, or the name of one of the plan's totals. */
  readonly total: string
  readonly group: string
  readonly amount: string
}

/** Whether the side is there. */
export function isPresent(side: ComparedSide): side is Snapshot {
  return !('absent' in side)
}

/** Judges the gates that need no row: sides present, not empty, columns as planned, stated totals met. */
export function judgeGates(
  sides: Readonly<Record<SideName, ComparedSide>>,
  plan: ComparePlan,
  options: { readonly allowEmpty: boolean; readonly stated: readonly StatedTotal[] },
): Gate[] {
  const each = (['left', 'right'] as const).flatMap(name => {
    const side = sides[name]
    if (!isPresent(side)) return [failed(`${name} present`, side.absent)]
    const gates = [passed(`${name} present`, `${side.manifest.name}, as of ${side.manifest.asOf}`)]
    // Nothing to judge, but whoever reads the proof has to know what it is not about.
    const leftOut = (side.manifest.leftOut ?? []).map(({ reason, count }) => `${count}: ${reason}`)
    if (leftOut.length > 0) gates.push(passed(`${name} left out`, leftOut.join('; ')))
    if (side.manifest.rows === 0 && !options.allowEmpty) {
      gates.push(
        failed(`${name} rows`, `${side.manifest.name} has no row in scope (${side.manifest.scope}).`),
      )
    }
    const names = new Set(side.manifest.columns.map(column => column.name))
    const missing = columnsOf(plan).filter(column => !names.has(column.name))
    if (missing.length > 0) {
      gates.push(
        failed(
          `${name} schema`,
          `${side.manifest.name} lacks ${missing.map(column => column.name).join(', ')}.`,
        ),
      )
    }
    return gates
  })
  return [...each, ...options.stated.map(stated => judgeStated(sides, stated))]
}

function judgeStated(sides: Readonly<Record<SideName, ComparedSide>>, stated: StatedTotal): Gate {
  const side = sides[stated.side]
  const name = `${stated.side} ${stated.total}${stated.group === '' ? '' : ` ${stated.group}`}`
  if (!isPresent(side)) return failed(name, side.absent)
  const { manifest } = side
  const found =
    stated.total === 'rows'
      ? String(manifest.rows)
      : (manifest.totals.find(({ total, group }) => total === stated.total && group === stated.group)
          ?.amount ?? '0')
  const [a, b] = [parseDecimal(found), parseDecimal(stated.amount)]
  if (a !== null && b !== null && compareDecimals(a, b) === 0) return passed(name, `${found}, as stated`)
  return failed(name, `${manifest.name} has ${found}, but ${stated.amount} is stated.`)
}

function passed(name: string, message: string): Gate {
  return { name, state: 'passed', message }
}

function failed(name: string, message: string): Gate {
  return { name, state: 'failed', message }
}
