/**
 * The header contract (B13): the order of columns is free, unknown ones are told, missing, renamed
 * or doubled ones refuse the file. Called by csv-stream.ts with the header's cells.
 */
import { ParseError } from '../model/errors.ts'
import { doubled } from './csv.ts'

/** What must be held against a header. */
export interface HeaderContract {
  readonly subject: string
  readonly line: number
  /** Columns that must be there. */
  readonly required: readonly string[]
}

/** The columns of a file, and what is worth telling about them. */
export interface Header {
  readonly columns: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * The columns that a header's cells name. A cell without a name is named by its number, `(column 43)`, except the first such.
 * @throws PARSE_HEADER_DOUBLED when two cells have the same name: one would hide the other.
 * @throws PARSE_COLUMN_MISSING listing every required column that is not there, and what is there instead.
 */
export function readHeader(cells: readonly string[], contract: HeaderContract): Header {
  const { subject, line, required } = contract
  const unnamed = cells.indexOf('')
  const columns = cells.map((name, index) =>
    name === '' && index !== unnamed ? `(column ${index + 1})` : name,
  )
  const twice = doubled(columns)
  if (twice.length > 0) {
    throw new ParseError(
      'PARSE_HEADER_DOUBLED',
      `${subject}, line ${line}: the header names ${quoted(twice)} more than once, so it can't be told which is meant. Nothing of this file is loaded. If the file has no header, declare its columns.`,
      { details: { line, columns: twice } },
    )
  }
  const present = new Set(columns)
  const missing = required.filter(name => !present.has(name))
  const wanted = new Set(required)
  const unknown = columns.filter(name => name !== '' && !wanted.has(name))
  if (missing.length > 0) throw missingColumns(contract, missing, unknown)
  const warnings =
    required.length > 0 && unknown.length > 0
      ? [
          `${unknown.length === 1 ? 'an unknown column' : `${unknown.length} unknown columns`} in the header: ${quoted(unknown)}`,
        ]
      : []
  return { columns, warnings }
}

function missingColumns(
  contract: HeaderContract,
  missing: readonly string[],
  unknown: readonly string[],
): ParseError {
  const { subject, line } = contract
  const instead = unknown.length === 0 ? '' : `, and it has columns that nobody asked for: ${quoted(unknown)}`
  const told = missing.map(name => {
    const alike = unknown.find(other => folded(other) === folded(name))
    return alike === undefined
      ? JSON.stringify(name)
      : `${JSON.stringify(name)} (there is ${JSON.stringify(alike)})`
  })
  return new ParseError(
    'PARSE_COLUMN_MISSING',
    `${subject}, line ${line}: the header lacks ${told.join(', ')}${instead}. Nothing of this file is loaded; if a column was renamed, change the mapping, otherwise ask the sender.`,
    { details: { line, missing: [...missing], unknown: [...unknown] } },
  )
}

function folded(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase()
}

/** At most twenty names, so that a message stays readable. */
function quoted(names: readonly string[]): string {
  const shown = names.slice(0, 20).map(name => JSON.stringify(name))
  return names.length > 20 ? `${shown.join(', ')} and ${names.length - 20} more` : shown.join(', ')
}
