/**
 * Single values of seeded tables: drawn by type, and changed so that the change is surely a difference,
 * surely none under the column's rules, or just at the bound of a tolerance.
 */
import type { CompareRule } from '../../lib/model/comparison-rules.ts'
import {
  absolute,
  add,
  compareDecimals,
  type Decimal,
  decimal,
  multiply,
  negate,
  toText,
} from '../../lib/model/decimal.ts'
import type { Value } from '../../lib/model/table.ts'
import type { ValueKind } from '../../reconcile/snapshot/columns.ts'

/** Numbers between 0 and below n. */
export type Random = (n: number) => number

/** Texts that mean null where a rule says so. */
export const NULL_TOKENS: readonly string[] = ['N.A.', '-']

const TEXTS = [
  'Müller',
  '',
  'naïve café',
  '東京 都',
  'O\'Neil "x"',
  'a,b\nc',
  '🙂 ok',
  '\\N',
  'x\ty',
  '007',
  '12.50',
  'EUR',
  'Straße',
  '각 하',
  '=1+1',
  'a|b',
] as const

const two = (value: number): string => String(value).padStart(2, '0')

function digits(count: number, random: Random): string {
  return Array.from({ length: count }, () => random(10)).join('')
}

/** A value; `solid` ones are neither null nor blank. */
export function drawnValue(kind: ValueKind, random: Random, solid: boolean): Value {
  if (!solid && random(9) === 0) return null
  const sign = random(3) === 0 ? '-' : ''
  const day = `${[2026, 1999, 2400, 1900][random(4)]}-${two(1 + random(12))}-${two(1 + random(28))}`
  switch (kind) {
    case 'text': {
      const text = TEXTS[random(TEXTS.length)]!
      return solid && text === '' ? 'blank' : text
    }
    case 'decimal': {
      const whole = digits(1 + random(random(4) === 0 ? 28 : 7), random).replace(/^0+(?=.)/, '')
      const fraction = random(3) === 0 ? '' : `.${digits(random(10), random)}${1 + random(9)}`
      return whole === '0' && fraction === '' ? '0' : `${sign}${whole}${fraction}`
    }
    case 'integer':
      return random(4) === 0 ? `${sign}${1 + random(9)}${digits(17, random)}` : random(2000) - 1000
    case 'date':
      return [day, day, '0001-01-01', '9999-12-31', '2024-02-29'][random(5)]!
    case 'timestamp': {
      const fraction = random(2) === 0 ? '' : `.${digits(random(8), random)}${1 + random(9)}`
      return `${random(9) === 0 ? '9999-12-31' : day}T${two(random(24))}:${two(random(60))}:${two(random(60))}${fraction}Z`
    }
    case 'boolean':
      return random(2) === 0
  }
}

/** A value that differs from the given one under any rule. */
export function differentValue(value: Value, kind: ValueKind, _rule: CompareRule, random: Random): Value {
  switch (kind) {
    case 'text':
      return `${value ?? ''}zq${random(1000)}`
    case 'decimal':
    case 'integer': {
      const known = value === null ? decimal('3') : decimal(String(value))
      const step = decimal(known.unscaled < 0n ? '-1000' : '1000')
      return toText(add(multiply(known, decimal('3')), step))
    }
    case 'date':
      return value === '2026-02-11' ? '2026-02-12' : '2026-02-11'
    case 'timestamp':
      return String(value).startsWith('2031-05-06') ? '2031-05-07T08:09:10Z' : '2031-05-06T07:08:09Z'
    case 'boolean':
      return value === null ? true : value !== true
  }
}

/** The same value written otherwise, as the column's rules and type allow; undefined where there is no other writing. */
export function equalValue(
  value: Value,
  kind: ValueKind,
  rule: CompareRule,
  random: Random,
): Value | undefined {
  if (value === null) return nullAgain(kind, rule, random)
  const text = String(value)
  if (kind === 'decimal' || kind === 'integer') {
    const zeros = kind === 'decimal' ? `${text.includes('.') ? '' : '.'}00` : ''
    return text.startsWith('-') ? `-00${text.slice(1)}${zeros}` : `+0${text}${zeros}`
  }
  if (kind === 'timestamp') {
    if (rule.precision === 'day') return `${text.slice(0, 11)}${two(random(24))}:30:00Z`
    if (rule.precision === 'minute') return `${text.slice(0, 17)}${two(random(60))}.5Z`
    if (rule.precision === 'second') return `${text.slice(0, 19)}.${1 + random(9)}Z`
    return text.includes('.')
      ? text.length < 29
        ? text.replace('Z', '0Z')
        : undefined
      : text.replace('Z', '.000Z')
  }
  return kind === 'text' ? writtenOtherwise(text, rule, random) : undefined
}

function nullAgain(kind: ValueKind, rule: CompareRule, random: Random): Value | undefined {
  if (kind !== 'text' || rule.nullTokens === undefined) return undefined
  const token = NULL_TOKENS[random(NULL_TOKENS.length)]!
  return rule.trim === true ? ` ${token}\u00a0` : token
}

function writtenOtherwise(text: string, rule: CompareRule, random: Random): string {
  let other = random(2) === 0 ? text.normalize('NFD') : text
  if (rule.foldCase === true)
    other = other.replace(/[a-z]/g, letter => (random(2) === 0 ? letter.toUpperCase() : letter))
  if (rule.stripAccents === true) other = other.replace(/[A-Za-z](?!\p{M})/u, letter => `${letter}\u0301`)
  if (rule.collapse === true) other = other.replace(/(?<=\S)[ \t\n](?=\S)/g, ' \u2003\t')
  if (rule.trim === true) other = `\u2003 ${other}\t\ufeff`
  return other
}

/** A number at the bound of the column's tolerance; undefined without one. */
export function toleratedValue(
  value: Value,
  kind: ValueKind,
  rule: CompareRule,
  random: Random,
): Value | undefined {
  const known = numberOf(value, kind)
  if (known === null) return undefined
  const bound = boundOf(known, kind, rule, random(2) === 0)
  return bound === null ? undefined : toText(add(known, bound))
}

/** A number just beyond the column's tolerance; undefined without one. */
export function beyondTolerance(
  value: Value,
  kind: ValueKind,
  rule: CompareRule,
  random: Random,
): Value | undefined {
  const known = numberOf(value, kind)
  if (known === null || rule.within === undefined || rule.relative !== undefined) return undefined
  const beyond = add(decimal(rule.within), decimal(kind === 'integer' ? '1' : '0.0000000000001'))
  return toText(add(known, random(2) === 0 ? beyond : negate(beyond)))
}

function numberOf(value: Value, kind: ValueKind): Decimal | null {
  return value === null || (kind !== 'decimal' && kind !== 'integer') ? null : decimal(String(value))
}

/** The greatest difference that is let pass; relative to the larger value, which is the changed one. */
function boundOf(known: Decimal, kind: ValueKind, rule: CompareRule, absoluteFirst: boolean): Decimal | null {
  const within = rule.within === undefined ? null : decimal(rule.within)
  const share =
    rule.relative === undefined || kind === 'integer' ? null : multiply(known, decimal(rule.relative))
  const bounds = [within, share].filter(
    bound => bound !== null && compareDecimals(absolute(bound), decimal('0')) > 0,
  )
  return (absoluteFirst ? bounds[0] : bounds.at(-1)) ?? null
}

/** A text that can't be read as a value of this type. */
export function broken(kind: ValueKind, random: Random): string {
  const faults: Record<ValueKind, readonly string[]> = {
    text: ['x'],
    decimal: ['n/a', '1,5', '1e5', 'NaN', '--1', '1.2.3'],
    integer: ['1.0', '1 000', '0x10', 'one'],
    date: ['2026-02-30', '20.11.2026', '2026-11-20T00:00:00Z', '0000-01-01', '2026-13-01'],
    timestamp: [
      '2026-11-20',
      '2026-11-20 10:00:00',
      '2026-11-20T24:00:00Z',
      '2026-02-29T10:00:00Z',
      '2026-11-20T10:00:00+01:00',
    ],
    boolean: ['yes', '1', 'TRUE'],
  }
  return faults[kind][random(faults[kind].length)]!
}
