/**
 * What a comparison asks of both sides as a whole, in sentences for the job's page: control totals, what
 * may still arrive, gates, limits. Empty for a comparison that declares nothing.
 */
import type { AmountLimit, CompareRule, ControlTotal, Limit } from '../../lib/model/comparison-rules.ts'
import type { Reconciliation } from '../../lib/model/job.ts'

const code = (text: string): string => `\`${text}\``

/** The rule of a column: `amount`: within 0.01, net at most EUR 1. */
export function ruleInWords(column: string, rule: CompareRule): string {
  const { netBudget, values, ...rest } = rule
  const told = Object.entries(rest).map(([name, value]) =>
    value === true ? name : `${name} ${String(value)}`,
  )
  if (netBudget !== undefined) told.push(`in all at most ${amountInWords(netBudget)}`)
  for (const side of ['source', 'target'] as const) {
    const map = values?.[side]
    if (map === undefined) continue
    const pairs = Object.entries(map).map(([from, to]) => `${code(from)} = ${code(to)}`)
    told.push(`the ${side} writes ${pairs.join(', ')}`)
  }
  return `${code(column)}: ${told.join(', ')}`
}

/** The sentences, each with a blank before it. */
export function wholeInWords({ totals, pending, gates, limits }: Reconciliation): string {
  const sentences: string[] = []
  const named = Object.entries(totals ?? {}).map(([name, total]) => totalInWords(name, total))
  if (named.length > 0) sentences.push(`Control totals: ${named.join('; ')}.`)
  if (pending !== undefined)
    sentences.push(
      `What only the source has is not due until ${pending.graceHours} hours after its ${code(pending.column)}.`,
    )
  if (gates?.allowEmpty === true) sentences.push('A side may be empty.')
  if (gates?.rowBandPercent !== undefined)
    sentences.push(
      `The rows of each side lie within ${gates.rowBandPercent} % of the median of the last nights.`,
    )
  if (gates?.maxUnreadable !== undefined)
    sentences.push(`With more than ${gates.maxUnreadable} unreadable rows on a side nothing is proved.`)
  if (gates?.asOf !== undefined)
    sentences.push(
      `Both sides are taken between ${gates.asOf.fromHours} and ${gates.asOf.untilHours} hours after the business date begins.`,
    )
  for (const [kind, levels] of Object.entries(limits ?? {})) {
    for (const level of ['warn', 'fail'] as const) {
      const limit = levels[level]
      if (limit !== undefined) sentences.push(`${code(kind)} ${level}s above ${limitInWords(limit)}.`)
    }
  }
  return sentences.map(sentence => ` ${sentence}`).join('')
}

function totalInWords(name: string, { measure, of, by, within }: ControlTotal): string {
  const what = of === undefined ? 'number of rows' : `${measure} of ${code(of)}`
  const groups = by === undefined || by.length === 0 ? '' : ` by ${by.map(code).join(', ')}`
  return `${name}, the ${what}${groups}${within === undefined ? '' : `, within ${within}`}`
}

function limitInWords({ count, percent, amount, amountPercent, businessDays }: Limit): string {
  return [
    ...(count === undefined ? [] : [`${count} of them`]),
    ...(percent === undefined ? [] : [`${percent} % of the rows`]),
    ...(amount === undefined ? [] : [amountInWords(amount)]),
    ...(amountPercent === undefined ? [] : [`${amountPercent} % of the total`]),
    ...(businessDays === undefined ? [] : [`${businessDays} business days of age`]),
  ].join(' or ')
}

function amountInWords(amount: AmountLimit): string {
  if (typeof amount === 'string') return `${amount} in each currency`
  return Object.entries(amount)
    .map(([currency, text]) => `${currency} ${text}`)
    .join(', ')
}
