/**
 * Names and literals as DuckDB reads them. Everything that came from outside goes through here.
 */

/** A text literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** An identifier, of any characters. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/**
 * `read_csv(...)` over a spool: no header, comma, every value in double quotes, an unquoted `\N` is null.
 * `longestLine` in bytes: DuckDB refuses longer lines than it was told of.
 */
export function readSpool(path: string, columns: readonly string[], longestLine: number): string {
  const fields = columns.map(name => `${quoteText(name)}: 'VARCHAR'`).join(', ')
  return (
    `read_csv(${quoteText(path)}, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', ` +
    `nullstr = '\\N', allow_quoted_nulls = false, new_line = '\\n', comment = '', strict_mode = true, ` +
    `max_line_size = ${Math.max(2_097_152, longestLine + 1024)}, columns = {${fields}})`
  )
}
