/**
 * The key of `tallyman trace` as it is typed: `invoiceNo=581010,line=2`, or the values alone in the order of the
 * table's key. A value that holds a comma, a quote or an equals sign stands in double quotes, as in CSV. Pure.
 */
import { ConfigError } from '../../lib/model/errors.ts'
import type { TableDefinition } from '../../lib/model/table.ts'

/** A part of the key: a value, and the column where one was named. */
export interface KeyPart {
  readonly column: string | null
  readonly value: string
}

const PART = /(?:([^=,"]+)=)?(?:"((?:[^"]|"")*)"|([^,"]*))(,|$)/y

/** Reads what was typed. @throws CONFIG_USAGE */
export function readKey(text: string): KeyPart[] {
  const parts: KeyPart[] = []
  PART.lastIndex = 0
  for (;;) {
    const match = PART.exec(text)
    if (match === null)
      throw new ConfigError(
        'CONFIG_USAGE',
        `${JSON.stringify(text)} is no key: COLUMN=VALUE,COLUMN=VALUE or the values in the order of the key; a value with a comma, quote or equals sign stands in double quotes. Nothing was looked for.`,
      )
    const [, column, quoted, plain, end] = match
    parts.push({ column: column ?? null, value: quoted?.replaceAll('""', '"') ?? plain ?? '' })
    if (end !== ',') return parts
  }
}

/** The values by field of this table; null when the parts are not about it. Columns of its database names are known too. */
export function keyFor(
  parts: readonly KeyPart[],
  table: Pick<TableDefinition, 'columns' | 'key'>,
  databaseName: (field: string) => string,
): Readonly<Record<string, string>> | null {
  const fields = Object.keys(table.columns)
  const values: Record<string, string> = {}
  const positional = parts.every(({ column }) => column === null)
  if (positional && parts.length !== table.key.length) return null
  for (const [index, { column, value }] of parts.entries()) {
    const field = positional
      ? table.key[index]
      : fields.find(one => one === column || databaseName(one) === column)
    if (field === undefined || Object.hasOwn(values, field)) return null
    values[field] = value
  }
  return values
}
