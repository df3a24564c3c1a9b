/**
 * A value of another database as the canonical text that its column promises (lib/model/table.ts). What is not
 * what the column is declared as stays as it came: the comparison then calls the row unreadable.
 */
import { parseDecimal, toText } from '../../lib/model/decimal.ts'
import { parseIso } from '../../lib/model/time/digit-format.ts'
import { instantReader } from '../../lib/model/time/local-time.ts'
import type { ValueKind } from '../snapshot/columns.ts'

/** A value as a driver gives it (lib/db/other). */
export type DriverCell = string | number | bigint | boolean | Uint8Array | Date | null

/** `yyyy-MM-dd`. */
const DATE_LENGTH = 10

/** Midnight after a date: a database that has only one type for both says so of a plain date. */
const MIDNIGHT = /^(\d{4}-\d\d-\d\d)[ T]00:00(?::00(?:\.0+)?)?$/

/** A reader of values of one kind; times without an offset are local times of `zone`. */
export function cellReader(kind: ValueKind, zone: string): (cell: DriverCell) => string | null {
  const instant = kind === 'timestamp' ? timestampReader(zone) : null
  return cell => {
    if (cell === null) return null
    const text = plainText(cell)
    switch (kind) {
      case 'decimal': {
        const value = parseDecimal(text)
        return value === null ? text : toText(value)
      }
      case 'boolean':
        return text === '1' ? 'true' : text === '0' ? 'false' : text.toLowerCase()
      case 'date':
        return MIDNIGHT.exec(text)?.[1] ?? text
      case 'timestamp':
        return instant!(text)
      case 'text':
      case 'integer':
        return text
    }
  }
}

function plainText(cell: Exclude<DriverCell, null>): string {
  if (typeof cell === 'string') return cell
  if (typeof cell === 'number') return numberText(cell)
  if (cell instanceof Date) return cell.toISOString()
  // As Postgres writes bytes: no text is ever mistaken for it.
  if (cell instanceof Uint8Array) return `\\x${Buffer.from(cell).toString('hex')}`
  return String(cell)
}

/** The shortest decimal that reads back as this float, without an exponent. */
function numberText(value: number): string {
  const text = String(value)
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (match === null) return text
  const [, sign, whole, fraction = '', exponent] = match as unknown as [
    string,
    string,
    string,
    string?,
    string?,
  ]
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return `${sign}${digits.slice(0, point).padEnd(point, '0')}${digits.length > point ? `.${digits.slice(point)}` : ''}`
}

function timestampReader(zone: string): (text: string) => string {
  // An hour that comes twice, or never, is no instant: nobody knows which was meant.
  const toInstant = instantReader(zone, 'issue', 'issue')
  return text => {
    // A date alone is no instant.
    const parts = text.length > DATE_LENGTH ? parseIso(text) : null
    const found = parts === null ? null : toInstant(parts)
    if (typeof found !== 'string') return text
    return found.replace(/(\.\d*?)0+Z$/, (_, kept: string) => (kept === '.' ? 'Z' : `${kept}Z`))
  }
}
