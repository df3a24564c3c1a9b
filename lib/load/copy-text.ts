/**
 * Rows as COPY text format: one string per block, escaped only where needed. Text format, because
 * COPY ... CSV drops everything after an unquoted `\.` line.
 * Checking values is map's business; what could still damage a COPY is refused here (LOAD_VALUE_UNSTORABLE).
 * Who sends the text: stage-rows.ts.
 */
import { LoadError } from '../model/errors.ts'
import type { MappedRows } from '../model/mapping.ts'
import type { Value } from '../model/table.ts'
import type { TargetTable } from './target-table.ts'

const SPECIAL = /[\\\t\n\r]/
const EVERY_SPECIAL = /[\\\t\n\r]/g
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

/** A text as a field of COPY text format. */
export function encodeText(text: string): string {
  return SPECIAL.test(text) ? text.replace(EVERY_SPECIAL, special => ESCAPES[special]!) : text
}

/** How the rows of one table become text; made once per load. */
export interface RowEncoder {
  /**
   * The text of all rows of a block. `_seq` counts from `firstSeq`.
   * @throws LOAD_VALUE_UNSTORABLE for a value that its column or the encoding can't hold exactly.
   */
  encode(rows: MappedRows, file: number, firstSeq: number): string
}

/** Encoder for a table's staging columns: `_seq, _file, _record, _line, _unit`, then the columns in order. */
export function rowEncoder(table: TargetTable): RowEncoder {
  const isText = table.columns.map(column => column.type.kind === 'text')
  const scales = table.columns.map(column => (column.type.kind === 'decimal' ? column.type.scale : -1))
  const width = table.columns.length
  const refuse = (line: number, position: number, why: string): never => {
    const name = table.columns[position]?.name ?? 'a column'
    throw new LoadError(
      'LOAD_VALUE_UNSTORABLE',
      `The mapping made a value for ${table.name}.${name} from line ${line} that can't be stored as it is: ${why}. Nothing of this load was published; the mapping has to refuse or correct such values.`,
      { details: { table: table.name, column: name, line } },
    )
  }
  const blame = (rows: MappedRows): never => {
    for (const [at, row] of rows.rows.entries()) {
      for (const [position, value] of row.entries()) {
        if (typeof value !== 'string') continue
        if (value.includes('\0')) refuse(rows.lines[at]!, position, 'it holds a NUL character')
        if (!value.isWellFormed()) refuse(rows.lines[at]!, position, 'it holds half of a character')
      }
    }
    return refuse(rows.lines[0] ?? 0, -1, 'its unit name holds a NUL or half of a character')
  }
  const other = (value: Value, line: number, position: number): string => {
    if (value === true) return 't'
    if (value === false) return 'f'
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
      return refuse(line, position, `${typeof value} is no whole number within the safe range`)
    }
    return String(value)
  }
  return {
    encode(rows, file, firstSeq) {
      let text = ''
      let lastUnit: string | null = null
      let unitText = '\\N'
      for (let at = 0; at < rows.rows.length; at += 1) {
        const row = rows.rows[at]!
        const line = rows.lines[at]!
        const unit = rows.units[at] ?? null
        if (row.length !== width) refuse(line, -1, `it has ${row.length} values for ${width} columns`)
        if (unit !== lastUnit) {
          lastUnit = unit
          unitText = unit === null ? '\\N' : encodeText(unit)
        }
        text += `${firstSeq + at}\t${file}\t${rows.ordinals[at]}\t${line}\t${unitText}`
        for (let position = 0; position < width; position += 1) {
          const value = row[position]!
          if (value === null) text += '\t\\N'
          else if (typeof value !== 'string') text += `\t${other(value, line, position)}`
          else if (isText[position]) text += `\t${encodeText(value)}`
          else {
            const scale = scales[position]!
            // numeric(p, s) would round what does not fit; money is never rounded by the way
            if (scale >= 0) {
              const point = value.indexOf('.')
              if (point >= 0 && value.length - point - 1 > scale) {
                refuse(line, position, `it has more than ${scale} decimal places`)
              }
            }
            text += `\t${value}`
          }
        }
        text += '\n'
      }
      if (text.includes('\0') || !text.isWellFormed()) blame(rows)
      return text
    },
  }
}
