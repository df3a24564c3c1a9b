/**
 * CSV for people: opened in a spreadsheet, shown as it was meant. Texts that a spreadsheet would run
 * as a formula are neutralised; numbers of declared number columns stay numbers.
 */
import { neutralised, RFC_4180, writeCsv } from '../../format/csv-write.ts'
import { parseDecimal } from '../../model/decimal.ts'

/** A cell: text unless `numeric` says that its column is a declared number. */
export type SheetCell = string | number | null | { readonly text: string | null; readonly numeric: boolean }

/** Spreadsheets take a file without it for the local 8-bit charset. */
export const BYTE_ORDER_MARK = '\ufeff'

/** Lines of CSV. Numbers of ours and plain decimals in numeric cells are exempt from neutralising. */
export function sheetLines(rows: readonly (readonly SheetCell[])[]): string {
  return writeCsv(
    rows.map(row => row.map(written)),
    RFC_4180,
  )
}

function written(cell: SheetCell): string | null {
  if (cell === null) return null
  if (typeof cell === 'number') return String(cell)
  if (typeof cell === 'string') return neutralised(cell)
  if (cell.text === null) return null
  return cell.numeric && parseDecimal(cell.text) !== null ? cell.text : neutralised(cell.text)
}
