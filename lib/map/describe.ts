/**
 * A mapping in words: the tables of a job's page, made from the same value that maps. The page around
 * it is made in bin/docs.
 */
import type { FieldLineage, Mapping, UnitRule } from '../model/mapping.ts'
import { type ColumnType, qualifiedName, type TableDefinition } from '../model/table.ts'

/** Longest list of source columns that is printed whole: a spread can have dozens. */
const SOURCES_SHOWN = 6

/** Text for a cell of a Markdown table. */
export function cell(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\|/g, '\\|').replace(/\s+/g, ' ')
}

const code = (text: string): string => `\`${cell(text)}\``

/** A Markdown table. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(heads), `|${heads.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

/** A column's type as DDL would say it. */
export function typeInWords(type: ColumnType): string {
  switch (type.kind) {
    case 'text':
      return type.max === null ? 'text' : `text, at most ${type.max}`
    case 'decimal':
      return `decimal(${type.precision}, ${type.scale})`
    case 'asOf':
      return 'text, filled by Tallyman'
    default:
      return type.kind
  }
}

function sourcesInWords(sources: readonly string[]): string {
  if (sources.length === 0) return '-'
  if (sources.length <= SOURCES_SHOWN) return sources.map(code).join(', ')
  const [first, second] = sources
  return `${code(first!)}, ${code(second!)} and ${sources.length - 2} more columns`
}

function fieldRow({ field, sources, rule, doc }: FieldLineage): readonly string[] {
  return [code(field), sourcesInWords(sources), cell(rule), cell(doc)]
}

function unitInWords(unit: UnitRule): string {
  const fate =
    unit.onFailure === 'file'
      ? 'the whole file is refused'
      : 'all its records are rejected, and the rest loads'
  const stated = unit.stated.length === 0 ? '' : ` It must state its ${unit.stated.join(' and its ')}.`
  return `Records belong to a **${unit.name}**: ${unit.law}. ${unit.doc}${stated} Where it does not tie, ${fate}.`
}

/** The map section of a page: each kind of record, each table, each field with its sources, rule and doc. */
export function describeMapping(mapping: Mapping): string {
  const parts = [`${code(mapping.name)}, version ${mapping.version}. ${mapping.doc}`]
  const kinds = Object.entries(mapping.lineage)
  for (const [kind, tables] of kinds) {
    for (const [name, fields] of Object.entries(tables)) {
      const target = qualifiedName(mapping.tables[name]!)
      parts.push(
        kinds.length === 1 ? `To ${code(target)}:` : `Records of kind ${code(kind)} to ${code(target)}:`,
      )
      parts.push(markdownTable(['field', 'from', 'rule', 'meaning'], fields.map(fieldRow)))
    }
    const reasons = mapping.filters?.[kind] ?? []
    if (reasons.length > 0) parts.push(`Left out and counted: ${reasons.join(', ')}.`)
  }
  if (mapping.unit !== null) parts.push(unitInWords(mapping.unit))
  return parts.join('\n\n')
}

/** A table of a page: its columns, key and control totals. */
export function describeTable(table: TableDefinition<unknown>): string {
  const rows = Object.entries(table.columns).map(([field, { type, nullable, doc, pii }]) => [
    code(field),
    typeInWords(type),
    nullable ? 'yes' : 'no',
    pii === 'none' ? '' : pii,
    cell(doc),
  ])
  const totals = Object.entries(table.totals).map(
    ([name, { sum, per }]) =>
      `${name} = sum of ${sum.map(code).join(' x ')}${per === undefined ? '' : ` per ${code(per)}`}`,
  )
  return [
    `${code(qualifiedName(table))}: ${table.doc}`,
    markdownTable(['column', 'type', 'null', 'personal', 'meaning'], rows),
    table.key.length === 0
      ? 'No key: rows are compared as a bag, equal rows count one by one.'
      : `Key: ${table.key.map(code).join(', ')}.`,
    totals.length === 0 ? 'No control totals.' : `Control totals: ${totals.join('; ')}.`,
  ].join('\n\n')
}
