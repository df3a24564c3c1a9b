/**
 * All readers under one name, as mappings write them: `read.integer('Quantity', { doc: '...' })`.
 * Each gives a Field; column names and types are held by defineMapping.
 */
import { boolean, decimal, integer } from './read-number.ts'
import { businessDate, compute, constant, line, nothing, ordinal } from './read-run.ts'
import { count, list, oneOf, text } from './read-text.ts'
import { date, timestamp } from './read-time.ts'

/** The field readers. What each accepts and refuses stands at its function. */
export const read = {
  text,
  oneOf,
  list,
  count,
  integer,
  decimal,
  boolean,
  date,
  timestamp,
  compute,
  businessDate,
  line,
  ordinal,
  constant,
  nothing,
}
