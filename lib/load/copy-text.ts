/**
 * Rows as COPY text format, encoded per block. Text format, because COPY ... CSV drops everything
 * after an unquoted `\.` line. Checking values is map's business; what could still damage a COPY is
 * refused here (LOAD_VALUE_UNSTORABLE). Bytes: copy-bytes.ts; who sends them: stage-rows.ts.
 */
import { codeAt } from '../model/code-at.ts'
import { LoadError } from '../model/errors.ts'
import type { MappedRows } from '../model/mapping.ts'
import type { Value } from '../model/table.ts'
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

/** Bytes of the four numbers in front of each row and of a unit that is null, at most. */
const PREFIX_BYTES = 5 * (NUMBER_BYTES + 1)

/** Encoder for a table's staging columns: `_seq, _file, _record, _line, _unit`, then the columns in order. */
export function rowEncoder(table: TargetTable): RowEncoder {
  const { columns } = table
  /** Decimal places that a text may have; -1 for anything but decimals. */
  const scales = columns.map(column => (column.type.kind === 'decimal' ? column.type.scale : -1))
  const width = columns.length
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
  /** Writes the values of a row, each behind a tab. */
  const putValues = (bytes: Uint8Array, from: number, row: readonly Value[], line: number): number => {
    let at = from
    for (let position = 0; position < width; position += 1) {
      const value = row[position]!
      bytes[at] = TAB
      const start = at + 1
      if (typeof value === 'string') {
        const scale = scales[position]!
        // numeric(p, s) would round what does not fit; money is never rounded by the way
        if (scale >= 0 && hasMorePlaces(value, scale))
          refuse(line, position, `it has more than ${scale} decimal places`)
        at = putText(bytes, start, value)
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
      for (let index = 0; index < rows.length; index += 1) {
        const row = rows[index]!
        const line = lines[index]!
        const unit = units[index] ?? null
        if (row.length !== width) refuse(line, -1, `it has ${row.length} values for ${width} columns`)
        const bytes = into.reserve(roomOf(row) + PREFIX_BYTES + (unit?.length ?? 0) * BYTES_PER_UNIT)
        let at = into.length
        at = putNumber(bytes, at, firstSeq + index)
        bytes[at] = TAB
        at = putNumber(bytes, at + 1, file)
        bytes[at] = TAB
        at = putNumber(bytes, at + 1, ordinals[index]!)
        bytes[at] = TAB
        at = putNumber(bytes, at + 1, line)
        bytes[at] = TAB
        at = unit === null ? putNull(bytes, at + 1) : putText(bytes, at + 1, unit)
        if (at < 0) refuse(line, -1, 'its unit name holds a NUL or half of a character')
        at = putValues(bytes, at, row, line)
        bytes[at] = LINE_END
        into.length = at + 1
      }
    },
  }
}

/** Bytes that the values of a row take at most. */
function roomOf(row: readonly Value[]): number {
  let units = 0
  for (let position = 0; position < row.length; position += 1) {
    const value = row[position]
    if (typeof value === 'string') units += value.length
  }
  return units * BYTES_PER_UNIT + row.length * (NUMBER_BYTES + 1) + 1
}

/** Whether a decimal has more than `scale` places: a point stands before its last `scale + 1` characters. */
function hasMorePlaces(text: string, scale: number): boolean {
  for (let at = text.length - scale - 2; at >= 0; at -= 1) if (codeAt(text, at) === 46) return true
  return false
}
