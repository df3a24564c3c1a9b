/**
 * Rows as COPY text format, encoded per block. Text format, because COPY ... CSV drops everything
 * after an unquoted `\.` line. Checking values is map's business; what could still damage a COPY is
 * refused here (LOAD_VALUE_UNSTORABLE). Bytes: copy-bytes.ts; who sends them: stage-rows.ts.
 */
import { LoadError } from '../model/errors.ts'
import type { MappedRows } from '../model/mapping.ts'
import type { Value } from '../model/table.ts'
import { TextUnits } from '../model/text-units.ts'
import {
  BYTES_PER_UNIT,
  type CopyBytes,
  HOLDS_NUL,
  NUMBER_BYTES,
  putBoolean,
  putNull,
  putNumber,
  putText,
} from './copy-bytes.ts'
import type { TargetTable } from './target-table.ts'

/** How the rows of one table become bytes; made once per load. */
export interface RowEncoder {
  /**
   * Adds all rows of a block to `into`. `_seq` counts from `firstSeq`.
   * @throws LOAD_VALUE_UNSTORABLE for a value that its column or the encoding can't hold exactly.
   */
  encode(rows: MappedRows, file: number, firstSeq: number, into: CopyBytes): void
}

const TAB = 9
const LINE_END = 10

/** Values in front of each row: four numbers and the unit. */
const PREFIX_VALUES = 5

/** Encoder for a table's staging columns: `_seq, _file, _record, _line, _unit`, then the columns in order. */
export function rowEncoder(table: TargetTable): RowEncoder {
  const { columns } = table
  /** Decimal places that a text may have; -1 for anything but decimals. */
  const scales = columns.map(column => (column.type.kind === 'decimal' ? column.type.scale : -1))
  const width = columns.length
  /** Bytes that a row takes at most, besides its texts. */
  const rowBytes = (PREFIX_VALUES + width) * (NUMBER_BYTES + 1) + 1
  const refuse = (line: number, position: number, why: string): never => {
    const name = columns[position]?.name ?? 'a column'
    throw new LoadError(
      'LOAD_VALUE_UNSTORABLE',
      `The mapping made a value for ${table.name}.${name} from line ${line} that can't be stored as it is: ${why}. Nothing of this load was published; the mapping has to refuse or correct such values.`,
      { details: { table: table.name, column: name, line } },
    )
  }
  const refuseValue = (value: Value, line: number, position: number, result: number): never => {
    if (typeof value !== 'string')
      return refuse(line, position, `${typeof value} is no whole number within the safe range`)
    return refuse(
      line,
      position,
      result === HOLDS_NUL ? 'it holds a NUL character' : 'it holds half of a character',
    )
  }
  const texts = new RowTexts()
  /** Writes the values of a row, each behind a tab. */
  const putValues = (bytes: Uint8Array, from: number, row: readonly Value[], line: number): number => {
    let at = from
    for (let position = 0; position < width; position += 1) {
      const value = row[position]!
      bytes[at] = TAB
      const start = at + 1
      if (typeof value === 'string') {
        const { units, at: text } = texts
        texts.at += value.length
        const scale = scales[position]!
        // numeric(p, s) would round what does not fit; money is never rounded by the way
        if (scale >= 0 && hasMorePlaces(units, text, texts.at - scale - 1))
          refuse(line, position, `it has more than ${scale} decimal places`)
        at = putText(bytes, start, units, text, texts.at)
      } else if (value === null) at = putNull(bytes, start)
      else if (typeof value === 'number')
        at = Number.isSafeInteger(value) ? putNumber(bytes, start, value) : -1
      else at = typeof value === 'boolean' ? putBoolean(bytes, start, value) : -1
      if (at < 0) refuseValue(value, line, position, at)
    }
    return at
  }
  return {
    encode({ rows, lines, ordinals, units }, file, firstSeq, into) {
      let taken = 0
      for (let index = 0; index < rows.length; index += 1) {
        const row = rows[index]!
        const line = lines[index]!
        const unit = units[index] ?? null
        if (row.length !== width) refuse(line, -1, `it has ${row.length} values for ${width} columns`)
        if (index === taken) {
          taken = texts.take(rows, units, index)
          into.reserve(texts.length * BYTES_PER_UNIT + (taken - index) * rowBytes)
        }
        const { bytes } = into
        let at = into.length
        at = putNumber(bytes, at, firstSeq + index)
        bytes[at] = TAB
        at = putNumber(bytes, at + 1, file)
        bytes[at] = TAB
        at = putNumber(bytes, at + 1, ordinals[index]!)
        bytes[at] = TAB
        at = putNumber(bytes, at + 1, line)
        bytes[at] = TAB
        if (unit === null) at = putNull(bytes, at + 1)
        else {
          at = putText(bytes, at + 1, texts.units, texts.at, texts.at + unit.length)
          texts.at += unit.length
        }
        if (at < 0) refuse(line, -1, 'its unit name holds a NUL or half of a character')
        at = putValues(bytes, at, row, line)
        bytes[at] = LINE_END
        into.length = at + 1
      }
    },
  }
}

/** Characters taken at once: their codes then stay in the processor's cache, and a joined text is small garbage. */
const TEXTS_TAKEN = 8_192

/** The texts of some rows as codes, one after the other in the order in which they are written. */
class RowTexts {
  readonly #codes = new TextUnits()
  readonly #joined: string[] = []
  units: Uint16Array = new Uint16Array(1)
  /** Where the next text begins. */
  at = 0
  /** Characters taken. */
  length = 0

  /** Takes the texts of rows from `from` on; gives the first row that is not among them. */
  take(rows: readonly (readonly Value[])[], names: readonly (string | null)[], from: number): number {
    const joined = this.#joined
    let count = 0
    let length = 0
    let index = from
    for (; index < rows.length && length < TEXTS_TAKEN; index += 1) {
      const name = names[index] ?? null
      if (name !== null) {
        joined[count++] = name
        length += name.length
      }
      const row = rows[index]!
      for (let position = 0; position < row.length; position += 1) {
        const value = row[position]
        if (typeof value !== 'string') continue
        joined[count++] = value
        length += value.length
      }
    }
    joined.length = count
    this.units = this.#codes.of(joined.join(''))
    this.at = 0
    this.length = length
    return index
  }
}

/** Whether a decimal has a point before `end`: more places than are behind it. */
function hasMorePlaces(units: Uint16Array, from: number, end: number): boolean {
  for (let at = end - 1; at >= from; at -= 1) if (units[at] === 46) return true
  return false
}
