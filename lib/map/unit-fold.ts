/**
 * Units (statements, orders) while their records pass by: their terms are summed, and at the end each
 * unit ties, does not tie, or can't be judged. What is mapped of a failed unit is taken back by map-tally.ts.
 */
import { add, type Decimal, negate, toText, ZERO } from '../model/decimal.ts'
import { type Issue, issue } from '../model/issue.ts'
import type { FailedUnit, UnitRule, UnitTerm } from '../model/mapping.ts'
import { TotalSums } from './control-totals.ts'

interface Stated {
  sum: Decimal
  times: number
  standIn: Decimal
}

/** What is known of one unit of one file. */
export class Unit {
  readonly file: number
  readonly name: string
  /** Records that were mapped, and that were rejected on their own. */
  mapped = 0
  rejected = 0
  /** Rows by table. */
  readonly rows = new Map<string, number>()
  readonly totals = new TotalSums()
  readonly #groups = new Map<string, Map<string, Stated>>()

  constructor(file: number, name: string) {
    this.file = file
    this.name = name
  }

  /** Counts rows of a table. */
  addRows(table: string, count: number): void {
    this.rows.set(table, (this.rows.get(table) ?? 0) + count)
  }

  /** Adds a term of one of its rows. */
  term({ group, label, amount, standIn }: UnitTerm): void {
    let labels = this.#groups.get(group)
    if (labels === undefined) {
      labels = new Map()
      this.#groups.set(group, labels)
    }
    let stated = labels.get(label)
    if (stated === undefined) {
      stated = { sum: ZERO, times: 0, standIn: ZERO }
      labels.set(label, stated)
    }
    if (standIn === true) {
      stated.standIn = add(stated.standIn, amount)
    } else {
      stated.sum = add(stated.sum, amount)
      stated.times += 1
    }
  }

  /** Why it fails, or null when it ties. */
  judge(rule: UnitRule): FailedUnit | null {
    const labels = [...this.#groups.values()]
    const missing = rule.stated.filter(label => !labels.some(group => group.has(label)))
    const repeated = rule.stated.filter(label => labels.some(group => (group.get(label)?.times ?? 0) > 1))
    const differences = [...this.#groups]
      .map(([group, terms]) => ({ group, difference: toText(negate(sumOf(terms))) }))
      .filter(({ difference }) => difference !== '0')
    if (missing.length + repeated.length + differences.length + this.rejected === 0) return null
    return {
      file: this.file,
      unit: this.name,
      records: this.mapped + this.rejected,
      missing,
      repeated,
      differences,
      rejectedRecords: this.rejected,
    }
  }
}

function sumOf(terms: ReadonlyMap<string, Stated>): Decimal {
  let sum = ZERO
  for (const { sum: own, times, standIn } of terms.values()) sum = add(sum, times > 0 ? own : standIn)
  return sum
}

const nTimes = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** The issue that each record of a failed unit is rejected with. */
export function issueOfUnit(failed: FailedUnit, rule: UnitRule): Issue {
  const unit = `${rule.name} ${failed.unit}`
  const fate =
    failed.records === 1 ? 'its only record is rejected' : `all its ${failed.records} records are rejected`
  if (failed.rejectedRecords > 0) {
    return issue(
      'MAP_UNIT_INCOMPLETE',
      `${unit} is not whole: ${failed.rejectedRecords} of its ${nTimes(failed.records, 'record')} can't be read, so ${rule.law} can't be proved; ${fate}.`,
    )
  }
  if (failed.missing.length > 0) {
    return issue(
      'MAP_UNIT_INCOMPLETE',
      `${unit} states no ${failed.missing.join(' and no ')}, so ${rule.law} can't be proved; ${fate}.`,
    )
  }
  if (failed.repeated.length > 0) {
    return issue(
      'MAP_UNIT_INCOMPLETE',
      `${unit} states its ${failed.repeated.join(' and its ')} more than once, so ${rule.law} can't be proved; ${fate}.`,
    )
  }
  const off = failed.differences.map(({ group, difference }) => `${difference} ${group}`.trim()).join(' and ')
  return issue('MAP_UNIT_DOES_NOT_TIE', `${unit} does not tie: ${rule.law} is off by ${off}; ${fate}.`)
}
