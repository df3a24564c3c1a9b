/**
 * Comparison rules as SQL over canonical text: what a value is under its type and rules, and whether
 * it can be read at all. Tolerances are not here, they need two values (pair.ts).
 * Exact meaning: docs/reconciliation.md, Rules.
 */
import { quoteText } from '../../lib/format/duckdb/sql.ts'
import { isNumeric, type PlannedColumn } from './plan.ts'

/** What counts as white space: Unicode's White_Space and the byte order mark. */
export const WHITE_SPACE =
  '\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'

/** The same for RE2 and, with the `u` flag, for JavaScript. */
const RUN_OF_SPACE = '[\\t-\\r\\x{85}\\x{FEFF}\\pZ]+'

/** A character that is no white space. */
const NO_SPACE = '[^\\t-\\r\\x{85}\\x{FEFF}\\pZ]'

const DECIMAL = '[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)'
const INTEGER = '[+-]?[0-9]+'
const DATE = '[0-9]{4}-[0-9]{2}-[0-9]{2}'
const TIMESTAMP = `${DATE}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?Z`

/** Characters of an instant that a precision keeps: `2026-11-20T10:05:59`. */
const KEPT = { second: 19, minute: 16, day: 10 } as const

/** Macros that the expressions of this file use; run once per DuckDB. */
export const MACROS = [
  // Digits only are handled, so values of any length stay exact.
  `create temp macro canonical_parts(sign, whole, fraction) as
     case when whole = '' and fraction = '' then '0'
          else sign || case when whole = '' then '0' else whole end || case when fraction = '' then '' else '.' || fraction end end`,
  // Nearly all values are canonical already; finding that out takes a third of the time.
  `create temp macro canonical_decimal(v) as
     case when regexp_full_match(v, '-?(0|[1-9][0-9]*)(\\.[0-9]*[1-9])?') and v <> '-0' then v else canonical_parts(
       case when v[1] = '-' then '-' else '' end,
       ltrim(split_part(ltrim(v, '+-'), '.', 1), '0'),
       rtrim(split_part(ltrim(v, '+-'), '.', 2), '0')) end`,
  `create temp macro trimmed(v) as
     case when regexp_matches(v, ${quoteText(`^${RUN_OF_SPACE}|${RUN_OF_SPACE}$`)}) then trim(v, ${quoteText(WHITE_SPACE)}) else v end`,
  `create temp macro part(v) as case when v is null then 'n' else strlen(v)::varchar || ':' || v end`,
]

/** The value as its type and text rules want it, before it is judged: NFC, trimmed, collapsed, null tokens null. */
function prepared({ kind, rule }: PlannedColumn, value: string): string {
  let sql = kind === 'text' ? `nfc_normalize(${value})` : value
  if (rule.trim === true) sql = `trimmed(${sql})`
  if (rule.collapse === true) sql = `regexp_replace(${sql}, ${quoteText(RUN_OF_SPACE)}, ' ', 'g')`
  if (rule.nullTokens !== undefined && rule.nullTokens.length > 0) {
    sql = `case when ${sql} in (${rule.nullTokens.map(quoteText).join(', ')}) then null else ${sql} end`
  }
  return sql
}

/** SQL for the value under its rules: equal text means equal values, tolerances aside. */
export function normalised(column: PlannedColumn, value: string): string {
  const sql = prepared(column, value)
  const { kind, rule } = column
  if (isNumeric(kind)) return `canonical_decimal(${sql})`
  if (kind === 'timestamp') {
    if (rule.precision !== undefined) return `left(${sql}, ${KEPT[rule.precision]})`
    const whole = `rtrim(${sql}, 'Z')`
    return `case when contains(${sql}, '.') then rtrim(rtrim(${whole}, '0'), '.') else ${whole} end || 'Z'`
  }
  if (kind !== 'text') return sql
  const text = folded(column, sql)
  return column.values === undefined ? text : mapped(column, text)
}

/** Text without accents and case, where the column's rule says so. */
function folded({ rule }: PlannedColumn, value: string): string {
  const bare = rule.stripAccents === true ? `strip_accents(${value})` : value
  return rule.foldCase === true ? `lower(${bare})` : bare
}

/** The value of an enumeration by its side's map, all of whose texts are folded like the values; what the map lacks is null. */
function mapped(column: PlannedColumn, folding: string): string {
  const entries = Object.entries(column.values!)
  if (entries.length === 0) return 'null::varchar'
  const text = (value: string): string => folded(column, `nfc_normalize(${quoteText(value)})`)
  const cases = entries.map(([from, to]) => `when ${text(from)} then ${text(to)}`)
  return `case ${folding} ${cases.join(' ')} end`
}

/** SQL condition: this value can't be read as its type. Null for text without a value map, which is always readable. */
export function unreadable(column: PlannedColumn, value: string): string | null {
  const sql = prepared(column, value)
  switch (column.kind) {
    case 'text':
      return column.values === undefined
        ? null
        : `(${sql} is not null and ${mapped(column, folded(column, sql))} is null)`
    case 'decimal':
      return `not regexp_full_match(${sql}, ${quoteText(DECIMAL)})`
    case 'integer':
      return `not regexp_full_match(${sql}, ${quoteText(INTEGER)})`
    case 'boolean':
      return `${sql} not in ('true', 'false')`
    case 'date':
      return `(${sql} is not null and (not regexp_full_match(${sql}, ${quoteText(DATE)}) or ${noDay(sql)}))`
    case 'timestamp':
      return `(${sql} is not null and (not regexp_full_match(${sql}, ${quoteText(TIMESTAMP)}) or ${noDay(`left(${sql}, 10)`)}))`
  }
}

/** SQL condition: this text in a date's form is no day between 0001-01-01 and 9999-12-31. Instants are not cast: DuckDB's with nanoseconds end in 2262. */
function noDay(value: string): string {
  return `try_cast(${value} as date) is null or left(${value}, 4) = '0000'`
}

/** SQL condition: a key part is null or blank. */
export function blank(normalisedKey: string): string {
  return `(${normalisedKey} is null or not regexp_matches(${normalisedKey}, ${quoteText(NO_SPACE)}))`
}

/** SQL for a text of a row that no other row has: a JSON list. Half the time of rowText; nobody else repeats its escapes. */
export function rowJson(values: readonly string[]): string {
  return `to_json([${values.join(', ')}]::varchar[])::varchar`
}

/** SQL for the canonical text of a row: each part with its length, so no two rows share one, and any implementation can repeat it. */
export function rowText(values: readonly string[]): string {
  return values.length === 0 ? "''" : `concat(${values.map(value => `part(${value})`).join(', ')})`
}
