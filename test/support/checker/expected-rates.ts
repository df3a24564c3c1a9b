/**
 * What a file of the European Central Bank comes to in treasury.fx_rate: a row for each currency of
 * each day that it holds.
 */
import { day, decimal } from './plain-values.ts'
import { decode } from './read-csv.ts'
import { all, xmlRoot } from './read-xml.ts'
import type { Expected, Row } from './spec.ts'

/** Rows by their bytes. */
export function expectedRates(bytes: Uint8Array): Expected {
  const root = xmlRoot(decode(bytes, 'utf-8') ?? '')
  if (root?.name !== 'Envelope')
    return { read: 0, filtered: 0, rejected: [], rows: {}, unusable: 'no such XML' }
  const rejected: number[] = []
  const found: { readonly line: number; readonly row: Row }[] = []
  let read = 0
  for (const ofDay of all(root, 'Cube/Cube')) {
    for (const cube of all(ofDay, 'Cube')) {
      read += 1
      const { currency = '', rate = '' } = cube.attributes
      const value = decimal(rate, 20, 8)
      const date = day(ofDay.attributes.time ?? '')
      const right = /^[A-Z]{3}$/.test(currency) && value !== undefined && !/^(?:-|0$)/.test(value)
      if (right && date !== undefined) found.push({ line: cube.line, row: { currency, date, rate: value } })
      else rejected.push(cube.line)
    }
  }
  const byKey = Map.groupBy(found, ({ row }) => `${row.currency} ${row.date}`)
  const rows: Row[] = []
  for (const same of byKey.values()) {
    // Two rates for one currency and day in one file: nobody knows which holds.
    if (new Set(same.map(({ row }) => row.rate)).size > 1) rejected.push(...same.map(({ line }) => line))
    else rows.push(...same.map(({ row }) => row))
  }
  rejected.sort((a, b) => a - b)
  return { read, filtered: 0, rejected, rows: { 'treasury.fx_rate': rows }, unusable: null }
}
