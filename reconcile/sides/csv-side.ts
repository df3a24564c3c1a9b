/**
 * A delimited file as a side: read by lib/parse like any received file, so that ragged and broken
 * records are counted as unreadable with their line, and never lost.
 */

import type { CsvSpec } from '../../lib/model/job.ts'
import type { StepContext } from '../../lib/model/progress.ts'
import type { SourceValue } from '../../lib/model/record.ts'
import type { Value } from '../../lib/model/table.ts'
import { parseFile } from '../../lib/parse/parse-file.ts'
import type { Spool } from '../snapshot/spool.ts'

/** Reads the file into the spool; gives its columns and what parsing had to say. */
export async function spoolCsv(
  file: string,
  name: string,
  spec: CsvSpec,
  spool: Spool,
  context: StepContext,
): Promise<{ readonly columns: readonly string[]; readonly notes: readonly string[] }> {
  const stream = parseFile(file, spec, { file: 0, neededColumns: {}, name }, context)
  let columns: readonly string[] | null = null
  for await (const { records, rejects } of stream.blocks) {
    columns ??= stream.shapes().get('record')!
    const empty: Value[] = new Array<Value>(columns.length).fill(null)
    for (const { values, line } of records) spool.add(values.map(cellText), [line, null, null])
    for (const { line, issues, raw } of rejects) {
      spool.add(empty, [line, issues.map(({ code, message }) => `${message} [${code}]`).join(' '), raw])
    }
    await spool.drain()
  }
  columns ??= stream.shapes().get('record')!
  return { columns, notes: stream.summary().warnings.map(warning => `${name}: ${warning}`) }
}

/** A value as a cell; a list, which delimited text does not have, as JSON. */
function cellText(value: SourceValue): string | null {
  return typeof value === 'string' || value === null ? value : JSON.stringify(value)
}
