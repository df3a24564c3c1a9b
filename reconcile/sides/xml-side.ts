/**
 * An XML file as a side: one row per record element, one column per child. `CcyNm` is a child's text,
 * `CcyNm/@IsFund` its attribute, `@time` the record's own, `Rmt/Ustrd` a grandchild; what repeats is a JSON list.
 */
import type { StepContext } from '../../lib/model/progress.ts'
import { fileChunks } from '../../lib/parse/source-text.ts'
import { XmlObjects, type XmlValue } from '../../lib/parse/xml-objects.ts'
import type { Spool } from '../snapshot/spool.ts'

/** Reads the file twice: for the columns, which no header tells, then for the rows. */
export async function spoolXml(
  file: string,
  name: string,
  reading: { readonly record: string; readonly charset: string | null },
  spool: Spool,
  context: StepContext,
): Promise<{ readonly columns: readonly string[]; readonly notes: readonly string[] }> {
  const open = (): XmlObjects =>
    new XmlObjects({ chunks: fileChunks(file, name, context), subject: name, ...reading })
  const positions = new Map<string, number>()
  for await (const records of open().blocks()) {
    for (const { value } of records) {
      eachCell(value, '', column => {
        if (!positions.has(column)) positions.set(column, positions.size)
      })
    }
  }
  const objects = open()
  for await (const records of objects.blocks()) {
    for (const { value, line } of records) {
      const cells: (string | null)[] = new Array<string | null>(positions.size).fill(null)
      eachCell(value, '', (column, text) => {
        cells[positions.get(column)!] = text
      })
      spool.add(cells, [line, null, null])
    }
    await spool.drain()
  }
  return { columns: [...positions.keys()], notes: objects.warnings.map(warning => `${name}: ${warning}`) }
}

/** Calls `take` for each column that an element has; its own text is the column `.` of the record. */
function eachCell(value: XmlValue, path: string, take: (column: string, text: string | null) => void): void {
  if (value === null || typeof value === 'string') {
    take(path === '' ? '.' : path, value)
  } else if (isList(value)) {
    take(path, JSON.stringify(value))
  } else {
    for (const name of Object.keys(value)) {
      const below = name === '#text' ? path : path === '' ? name : `${path}/${name}`
      eachCell(value[name]!, below, take)
    }
  }
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value)
}
