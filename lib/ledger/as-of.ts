/**
 * The version mark of applied rows: business date, then order of arrival of the file. Compared as
 * text in bytewise order, so that "older never overwrites newer" is one comparison in SQL. The tables
 * tallyman.key_as_of and tallyman.table_as_of keep the marks of tables without an asOf column; the
 * load reads and writes them in its own statements.
 */

/** Digits of a file id in a mark: enough for a trillion files. */
const FILE_DIGITS = 12

/** `2026-11-20#000000000042`: grows with the business date, then with the order of arrival. */
export function asOfMark(businessDate: string, fileId: string): string {
  return `${businessDate}#${fileId.padStart(FILE_DIGITS, '0')}`
}

/** Columns target, key, as_of; target is `schema.table`, key as the load writes keys. */
export const KEY_AS_OF = 'tallyman.key_as_of'

/** Columns target, as_of. */
export const TABLE_AS_OF = 'tallyman.table_as_of'
