/**
 * Numbers, amounts, sizes, durations and instants as people read them: `1,240.00`, `EUR 1,240.00`,
 * `4.1 MB`, `2 min 5 s`. Digits are never dropped and nothing passes through a float.
 */
import { type Decimal, decimal, parseDecimal, toFixed, toText } from '../model/decimal.ts'

const THOUSANDS = /\B(?=(?:\d{3})+(?!\d))/g
const CURRENCY = /^[A-Z]{3}$/

/** A whole number with thousands separators: `77,628`. */
export function count(value: number): string {
  return String(value).replace(THOUSANDS, ',')
}

/** `1 record`, `2 records`; `many` where the plural is not made with an s. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** Digits after the point that are needed to write a decimal, 0 for what is none. */
export function decimalsOf(text: string): number {
  const value = parseDecimal(text)
  return value === null ? 0 : (toText(value).split('.')[1]?.length ?? 0)
}

/** Decimal text with thousands separators and at least `decimals` digits; text that is no decimal stays as it is. */
export function grouped(text: string, decimals = 0): string {
  const value = parseDecimal(text)
  if (value === null) return text
  const [whole = '', fraction] = toFixed(value, Math.max(decimals, decimalsOf(text))).split('.')
  const left = whole.replace(THOUSANDS, ',')
  return fraction === undefined ? left : `${left}.${fraction}`
}

/** As `grouped`, with a sign in front of everything but zero. */
export function signed(text: string, decimals = 0): string {
  const value = parseDecimal(text)
  return value !== null && value.unscaled > 0n ? `+${grouped(text, decimals)}` : grouped(text, decimals)
}

/** Digits that amounts of a group are written with at least: those of the currency, else 2 when any amount has some. */
export function decimalsFor(group: string, amounts: readonly string[]): number {
  const needed = Math.max(0, ...amounts.map(decimalsOf))
  if (CURRENCY.test(group)) {
    const { minimumFractionDigits } = new Intl.NumberFormat('en', {
      style: 'currency',
      currency: group,
    }).resolvedOptions()
    return Math.max(needed, minimumFractionDigits ?? 2)
  }
  return needed === 0 ? 0 : Math.max(2, needed)
}

/** An amount of a total: `EUR 1,240.00`, or `12.5 of weight` where its group is no currency. */
export function amountOf({ total, group, amount }: { total: string; group: string; amount: string }): string {
  return CURRENCY.test(group) ? money(group, amount) : `${money(group, amount)} of ${total}`
}

/** An amount of a group: `EUR 1,240.00`; without a group only the number. */
export function money(group: string, amount: string): string {
  const text = grouped(amount, decimalsFor(group, [amount]))
  return group === '' ? text : `${group} ${text}`
}

/** Exact sum of decimal texts. */
export function sumOf(amounts: readonly string[]): Decimal {
  let scale = 0
  let unscaled = 0n
  for (const amount of amounts) {
    const value = decimal(amount)
    if (value.scale > scale) {
      unscaled *= 10n ** BigInt(value.scale - scale)
      scale = value.scale
    }
    unscaled += value.unscaled * 10n ** BigInt(scale - value.scale)
  }
  return { unscaled, scale }
}

/** A size: `812 bytes`, `4.1 MB`. */
export function bytes(value: number): string {
  if (value < 1000) return plural(value, 'byte')
  const units = ['kB', 'MB', 'GB', 'TB']
  let size = value
  let unit = -1
  while (size >= 999.95 && unit < units.length - 1) {
    size /= 1000
    unit += 1
  }
  return `${size.toFixed(1)} ${units[unit]}`
}

/** A duration: `40 ms`, `1.2 s`, `2 min 5 s`, `3 h 7 min`. */
export function duration(ms: number): string {
  const whole = Math.round(ms)
  if (whole < 1000) return `${whole} ms`
  if (whole < 60_000) return `${(Math.floor(whole / 100) / 10).toFixed(1)} s`
  const seconds = Math.floor(whole / 1000)
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** An instant of an ISO text in UTC: `2026-11-21 05:12 UTC`; other text stays as it is. */
export function instant(iso: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?Z$/.exec(iso)
  return match === null ? iso : `${match[1]} ${match[2]} UTC`
}
