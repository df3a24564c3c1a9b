/**
 * How values come back from Postgres: dates, timestamps, numeric and bigint stay the text that the
 * server sent, because a JavaScript Date or number would change them. All else as pg does it.
 */
import pg from 'pg'

/** int8, date, timestamp, timestamptz, numeric, and timetz, time, interval, money for good measure. */
const AS_TEXT = new Set([20, 1082, 1114, 1184, 1700, 1266, 1083, 1186, 790])

/** Arrays of those: date[], timestamp[], timestamptz[]; numeric[] and int8[] would become floats. */
const AS_TEXT_ARRAY = new Set([1182, 1115, 1185, 1231, 1016])

/** text[]: its parser gives the elements as text. */
const TEXT_ARRAY = 1009

const same = (text: string): string => text

/** For the `types` option of a pg client; leaves pg's global parsers alone. */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: string) => {
    if (format !== 'binary') {
      if (AS_TEXT.has(oid)) return same
      if (AS_TEXT_ARRAY.has(oid)) return pg.types.getTypeParser(TEXT_ARRAY as never)
    }
    return pg.types.getTypeParser(oid as never, format as never)
  }) as pg.CustomTypesConfig['getTypeParser'],
}
