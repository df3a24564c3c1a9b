/**
 * Seeded tables with a known list of edits between their two sides, for the mutation oracle. Each key
 * is edited at most once, and each edit says what must be found.
 */
import type { Value } from '../../lib/model/table.ts'

/** Columns of the tables: a key of two parts, and one column of each type. */
export const KINDS = {
  seed: 'integer',
  id: 'text',
  name: 'text',
  amount: 'decimal',
  currency: 'text',
  quantity: 'integer',
  day: 'date',
  at: 'timestamp',
  open: 'boolean',
} as const

/** A break that must be found. Values of mismatches as `column: left -> right`. */
export interface Expected {
  readonly kind: string
  readonly key: string
  readonly rows: readonly [number, number]
  readonly values: readonly string[]
}

/** Numbers between 0 and below n, the same for each seed (mulberry32). */
export function rngOf(seed: number): (n: number) => number {
  let state = (seed * 0x9e3779b9) >>> 0
  return n => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n)
  }
}

/** The same rows in another order. */
export function shuffled<T>(rows: readonly T[], random: (n: number) => number): T[] {
  const mixed = [...rows]
  for (let i = mixed.length - 1; i > 0; i -= 1) {
    const j = random(i + 1)
    ;[mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!]
  }
  return mixed
}

/** What must be found with the sides turned around. */
export function mirrored({ kind, key, rows, values }: Expected): Expected {
  const turned: Record<string, string> = {
    missing_in_target: 'missing_in_source',
    missing_in_source: 'missing_in_target',
  }
  return {
    kind: turned[kind] ?? kind,
    key,
    rows: [rows[1], rows[0]],
    values: values.map(value => value.replace(/^(\w+): (.*) -> (.*)$/s, '$1: $3 -> $2')),
  }
}

const NAMES = ['Müller', '', 'naïve', '東京', 'O\'Neil "x"', 'a,b\nc', '🙂', 'N.A.x', '\\N', null] as const

function rowOf(seed: number, i: number, random: (n: number) => number): Value[] {
  const digits = 1 + random(30)
  const whole = Array.from({ length: digits }, () => random(10))
    .join('')
    .replace(/^0+(?=.)/, '')
  const amount =
    random(8) === 0 ? null : `${random(2) === 0 && whole !== '0' ? '-' : ''}${whole}.${1 + random(9)}`
  const second = String(random(60)).padStart(2, '0')
  return [
    seed,
    `k${i}${random(5) === 0 ? '|é' : ''}`,
    NAMES[random(NAMES.length)]!,
    amount,
    ['EUR', 'USD', 'CHF'][random(3)]!,
    random(1000) - 500,
    `2026-0${1 + random(9)}-1${random(10)}`,
    `2026-11-20T10:00:${second}Z`,
    random(2) === 0,
  ]
}

type Edit = (
  row: Value[],
  random: (n: number) => number,
) => { left: Value[][]; right: Value[][]; expected: Expected[] }

const keyOf = (row: Value[]): string => `${row[0]}/${row[1]}`

function mismatch(column: number, change: (value: Value, random: (n: number) => number) => Value): Edit {
  return (row, random) => {
    const other = [...row]
    other[column] = change(row[column]!, random)
    const name = Object.keys(KINDS)[column]!
    const values = [`${name}: ${row[column]} -> ${other[column]}`]
    return {
      left: [row],
      right: [other],
      expected: [{ kind: 'value_mismatch', key: keyOf(row), rows: [1, 1], values }],
    }
  }
}

const quiet = (right: Value[][], left: Value[][]): ReturnType<Edit> => ({ left, right, expected: [] })

/** All edits; the first lets the row be. */
const EDITS: readonly Edit[] = [
  row => quiet([row], [row]),
  row => ({
    left: [row],
    right: [],
    expected: [{ kind: 'missing_in_target', key: keyOf(row), rows: [1, 0], values: [] }],
  }),
  row => ({
    left: [],
    right: [row],
    expected: [{ kind: 'missing_in_source', key: keyOf(row), rows: [0, 1], values: [] }],
  }),
  mismatch(2, (value, random) => `${value ?? ''}${['x', '\u0301', '!'][random(3)]}`),
  mismatch(2, value => (value === null ? 'not null' : null)),
  mismatch(3, value =>
    value === null ? '0' : `${value}1`.replace(/^-?/, sign => (sign === '-' ? '' : '-')),
  ),
  mismatch(4, value => (value === 'EUR' ? 'USD' : 'EUR')),
  mismatch(5, value => Number(value) + 1),
  mismatch(6, value => (value === '2026-02-11' ? '2026-02-12' : '2026-02-11')),
  mismatch(7, value => String(value).replace('Z', '.000001Z')),
  mismatch(8, value => value !== true),
  // Equal under rules or tolerance: nothing may be found.
  row => quiet([row.map((value, i) => (i === 2 && value !== null ? `  ${value}\u00a0` : value))], [row]),
  row =>
    quiet(
      [row.map((value, i) => (i === 2 ? 'N.A. ' : value))],
      [row.map((value, i) => (i === 2 ? null : value))],
    ),
  row => quiet([row.map((value, i) => (i === 3 && value !== null ? `${value}1` : value))], [row]),
  // Duplicates: equal pairs cancel, what is left is one break.
  (row, random) => {
    const more = 1 + random(4)
    const right = Array.from({ length: more + 1 }, () => row)
    return {
      left: [row],
      right,
      expected: [{ kind: 'duplicate', key: keyOf(row), rows: [0, more], values: [] }],
    }
  },
  row => quiet([row, row], [row, row]),
  row => {
    const other = row.map((value, i) => (i === 5 ? Number(value) + 7 : value))
    return {
      left: [row, other],
      right: [row],
      expected: [{ kind: 'duplicate', key: keyOf(row), rows: [1, 0], values: [] }],
    }
  },
  row => {
    const nameless = row.map((value, i) => (i === 1 ? null : value))
    return {
      left: [nameless],
      right: [],
      expected: [{ kind: 'key_invalid', key: `${row[0]}/`, rows: [1, 0], values: [] }],
    }
  },
  row => {
    const broken = row.map((value, i) => (i === 3 ? 'n/a' : value))
    return {
      left: [],
      right: [broken],
      expected: [{ kind: 'unreadable', key: keyOf(row), rows: [0, 1], values: [] }],
    }
  },
]

/** A table of `rows` keys: about half of them as they were, the others edited. */
export function editTable(
  seed: number,
  rows: number,
): { left: Value[][]; right: Value[][]; expected: Expected[] } {
  const random = rngOf(seed + 1)
  const table = { left: [] as Value[][], right: [] as Value[][], expected: [] as Expected[] }
  for (let i = 0; i < rows; i += 1) {
    const edit = random(2) === 0 ? EDITS[0]! : EDITS[random(EDITS.length)]!
    const { left, right, expected } = edit(rowOf(seed, i, random), random)
    table.left.push(...left)
    table.right.push(...right)
    table.expected.push(...expected)
  }
  return { ...table, left: shuffled(table.left, random), right: shuffled(table.right, random) }
}
