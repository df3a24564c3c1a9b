/**
 * What a file of the time clocks comes to at the payroll service: an entry per employee, day and kind
 * of pay. Its trailer counts the records, so that a file without it is not whole.
 */
import { day, decimal } from './plain-values.ts'
import { csvRecords, decode } from './read-csv.ts'
import type { Expected, Row } from './spec.ts'

const HEADER = 'PersNr;Name;Datum;Lohnart;Stunden;Kostenstelle;Freigabe'
const KINDS: Readonly<Record<string, string>> = {
  '100': 'regular',
  '110': 'overtime',
  '120': 'night',
  '200': 'sick',
  '210': 'holiday',
}

/** Entries by their bytes. */
export function expectedHours(bytes: Uint8Array): Expected {
  const unusable = (why: string): Expected => {
    return { read: 0, filtered: 0, rejected: [], rows: {}, unusable: why }
  }
  // Such bytes in a row make letters in UTF-8 and nothing but noise in windows-1252.
  if (bytes.some(byte => byte > 127) && decode(bytes, 'utf-8') !== null) return unusable('it is UTF-8')
  const [header, ...lines] = csvRecords(decode(bytes, 'windows-1252') ?? '', ';') ?? []
  const trailer = lines.pop()
  if (header?.fields.join(';') !== HEADER) return unusable('header')
  if (trailer?.fields[0] !== 'T' || trailer.fields[1] !== String(lines.length)) return unusable('trailer')
  const rejected: number[] = []
  const rows: Row[] = []
  let filtered = 0
  for (const { line, fields } of lines) {
    if (fields[0] === '99999999') filtered += 1
    else {
      const row = fields.length === 7 ? timeEntry(fields) : null
      if (row === null) rejected.push(line)
      else rows.push(row)
    }
  }
  return { read: lines.length, filtered, rejected, rows: { 'payroll.time_entry': rows }, unusable: null }
}

function timeEntry([number, , date, kind, worked, center, approved]: readonly string[]): Row | null {
  const workDate = day((date ?? '').replace(/^(\d\d)\.(\d\d)\.(\d{4})$/, '$3-$2-$1'))
  const hours = worked?.includes('.') === true ? undefined : decimal(worked!.replace(',', '.'), 6, 2)
  const payCode = KINDS[kind!]
  const right = /^\d{8}$/.test(number!) && /^[JN]$/.test(approved!) && center!.length <= 10
  if (!right || workDate === undefined || payCode === undefined) return null
  if (hours === undefined || hours.startsWith('-') || Number(hours) > 24) return null
  return {
    employeeNo: number!,
    workDate,
    payCode,
    hours,
    costCenter: center === '' || center === '-' ? null : center!,
    approved: String(approved === 'J'),
  }
}
