/**
 * Seeded tables with a known list of edits between their two sides, for the mutation oracle. Each key is
 * edited at most once, and each edit says what must be found. What the tables look like: mutation-shapes.ts;
 * how one value is changed: mutation-values.ts.
 */
import type { Value } from '../../lib/model/table.ts'
import { type Shape, shapeOf } from './mutation-shapes.ts'
import {
  beyondTolerance,
  broken,
  differentValue,
  drawnValue,
  equalValue,
  type Random,
  toleratedValue,
} from './mutation-values.ts'

/** A break that must be found. `values` of a mismatch: `column: left -> right`. */
export interface Expected {
  readonly kind: string
  /** Values of the key as received, as JSON. */
  readonly key: string
  readonly rows: readonly [number, number]
  readonly values: readonly string[]
}

/** Two sides and what lies between them. */
export interface EditedTable {
  readonly left: Value[][]
  readonly right: Value[][]
  readonly expected: Expected[]
}

/** Numbers between 0 and below n, the same for each seed (mulberry32). */
export function rngOf(seed: number): Random {
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
export function shuffled<T>(rows: readonly T[], random: Random): T[] {
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

/** A shape and the edited tables of some seeds in it: a seed is a value of the column `seed`, so all are compared at once. */
export function editedTables(
  shapeSeed: number,
  seeds: readonly number[],
  rows: number,
): { readonly shape: Shape } & EditedTable {
  const shape = shapeOf(rngOf(shapeSeed))
  const table: EditedTable = { left: [], right: [], expected: [] }
  for (const seed of seeds) {
    const random = rngOf(seed + 1)
    for (let i = 0; i < rows; i += 1) {
      const edit = random(3) === 0 ? EDITS[0]! : EDITS[random(EDITS.length)]!
      const made = edit(rowOf(shape, seed, i, random), shape, random)
      table.left.push(...made.left)
      table.right.push(...made.right)
      table.expected.push(...made.expected)
    }
  }
  const random = rngOf(shapeSeed + 7)
  return { shape, ...table, left: shuffled(table.left, random), right: shuffled(table.right, random) }
}

function rowOf(shape: Shape, seed: number, i: number, random: Random): Value[] {
  return shape.names.map(name => {
    if (name === 'seed') return seed
    if (name === 'id') return `k${i}${['', '', '|é', ' #', '🙂'][random(5)]}`
    return drawnValue(shape.kinds[name]!, random, shape.key.includes(name))
  })
}

type Edit = (row: Value[], shape: Shape, random: Random) => EditedTable

const keyOf = (row: readonly Value[], shape: Shape): string =>
  JSON.stringify(shape.keyNames.map(name => textOf(row[shape.names.indexOf(name)]!)))

const textOf = (value: Value): string | null => (value === null ? null : String(value))

function quiet(left: Value[][], right: Value[][]): EditedTable {
  return { left, right, expected: [] }
}

/** The breaks of rows that only one side has. */
function oneSided(shape: Shape, side: 'left' | 'right', row: Value[], times = 1): Expected {
  const rows: [number, number] = side === 'left' ? [times, 0] : [0, times]
  const kind = side === 'left' ? 'missing_in_target' : 'missing_in_source'
  return { kind, key: keyOf(row, shape), rows, values: [] }
}

/** A row against the same with other values in some columns. */
function against(
  shape: Shape,
  row: Value[],
  other: Value[],
  more: { left?: Value[][]; right?: Value[][] } = {},
): EditedTable {
  const left = [row, ...(more.left ?? [])]
  const right = [other, ...(more.right ?? [])]
  // A boolean that was changed twice is what it was.
  if (shape.compared.every(name => row[shape.names.indexOf(name)] === other[shape.names.indexOf(name)]))
    return quiet(left, right)
  if (shape.key.length === 0)
    return { left, right, expected: [oneSided(shape, 'left', row), oneSided(shape, 'right', other)] }
  const values = shape.compared.flatMap(name => {
    const at = shape.names.indexOf(name)
    return row[at] === other[at] ? [] : [`${name}: ${row[at]} -> ${other[at]}`]
  })
  return { left, right, expected: [{ kind: 'value_mismatch', key: keyOf(row, shape), rows: [1, 1], values }] }
}

/** The row with one value changed; the same row where `change` has nothing to offer. */
function changed(
  shape: Shape,
  row: Value[],
  name: string,
  change: typeof equalValue,
  random: Random,
): Value[] {
  const at = shape.names.indexOf(name)
  const made = change(row[at]!, shape.kinds[name]!, shape.rules[name] ?? {}, random)
  return made === undefined ? row : row.map((value, i) => (i === at ? made : value))
}

const pick = <T>(list: readonly T[], random: Random): T => list[random(list.length)]!

/** A row with a definitely different value in a compared column. */
function differing(row: Value[], shape: Shape, random: Random): Value[] {
  return changed(shape, row, pick(shape.compared, random), differentValue, random)
}

/** All edits; the first lets the row be. */
const EDITS: readonly Edit[] = [
  row => quiet([row], [row]),
  (row, shape) => ({ left: [row], right: [], expected: [oneSided(shape, 'left', row)] }),
  (row, shape) => ({ left: [], right: [row], expected: [oneSided(shape, 'right', row)] }),
  (row, shape, random) => against(shape, row, differing(row, shape, random)),
  (row, shape, random) => against(shape, row, differing(differing(row, shape, random), shape, random)),
  // A value against null, or the other way.
  (row, shape, random) => {
    const at = shape.names.indexOf(pick(shape.compared, random))
    const filled = changed(shape, row, shape.names[at]!, differentValue, random)
    return against(
      shape,
      filled,
      filled.map((value, i) => (i === at ? null : value)),
    )
  },
  // Equal under rules, also in the key: nothing may be found.
  (row, shape, random) => quiet([row], [changed(shape, row, pick(shape.judged, random), equalValue, random)]),
  (row, shape, random) =>
    quiet([shape.judged.reduce((made, name) => changed(shape, made, name, equalValue, random), row)], [row]),
  (row, shape, random) => {
    if (shape.key.length === 0) return quiet([row], [row])
    return quiet([row], [changed(shape, row, pick(shape.compared, random), toleratedValue, random)])
  },
  (row, shape, random) => {
    const other = shape.compared
      .map(name => changed(shape, row, name, beyondTolerance, random))
      .find(made => made !== row)
    return other === undefined ? quiet([row], [row]) : against(shape, row, other)
  },
  // Duplicates: equal pairs cancel, what is left is one break.
  (row, shape, random) => {
    const more = 1 + random(4)
    const right = Array.from({ length: more + 1 }, () => row)
    const found = oneSided(shape, 'right', row, more)
    return {
      left: [row],
      right,
      expected: [shape.key.length === 0 ? found : { ...found, kind: 'duplicate' }],
    }
  },
  (row, shape, random) => {
    const other = changed(shape, row, pick(shape.judged, random), equalValue, random)
    return quiet([row, other], [row, row])
  },
  (row, shape, random) => {
    const other = differing(row, shape, random)
    const found = oneSided(shape, 'left', other)
    return {
      left: [row, other],
      right: [row],
      expected: [shape.key.length === 0 ? found : { ...found, kind: 'duplicate' }],
    }
  },
  // Both have the row twice, one of them changed on each side: a pair is left.
  (row, shape, random) => {
    const name = pick(shape.compared, random)
    const left = changed(shape, row, name, differentValue, random)
    const right = changed(shape, left, name, differentValue, random)
    return against(shape, left, right, { left: [row], right: [row] })
  },
  (row, shape) => {
    if (shape.key.length === 0) return quiet([row], [row])
    // Blank in as many ways as there are rows, so that no two of them are one break.
    const at = shape.names.indexOf('id')
    const number = Number(/^k(\d+)/.exec(String(row[at]))![1])
    const nameless = row.map((value, i) =>
      i === at ? (number === 0 ? null : '\u00a0 '.repeat(number - 1)) : value,
    )
    const found = (rows: [number, number]): Expected => ({
      kind: 'key_invalid',
      key: keyOf(nameless, shape),
      rows,
      values: [],
    })
    return {
      left: [nameless],
      right: [nameless, nameless],
      expected: [found([1, 0]), found([0, 2])],
    }
  },
  (row, shape, random) => {
    const name = pick(
      shape.judged.filter(one => shape.kinds[one] !== 'text' && one !== 'seed'),
      random,
    )
    if (name === undefined) return quiet([row], [row])
    const at = shape.names.indexOf(name)
    const unread = row.map((value, i) => (i === at ? broken(shape.kinds[name]!, random) : value))
    const found: Expected = { kind: 'unreadable', key: keyOf(unread, shape), rows: [0, 1], values: [] }
    return { left: [row], right: [unread], expected: [oneSided(shape, 'left', row), found] }
  },
]
