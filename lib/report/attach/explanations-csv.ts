/**
 * The explanations of breaks as CSV, for nights with more breaks than a mail's model holds: one line per
 * explained break, to be joined with the breaks file by identity.
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Explanation } from '../../model/explanation.ts'
import { sheetLines } from './spreadsheet.ts'

/** An explained break. */
export interface ExplainedBreak extends Explanation {
  readonly identity: string
}

/** The header line. */
export function explanationsHeader(): string {
  return sheetLines([['identity', 'cause', 'explanation', 'file', 'line']])
}

/** The lines of some explanations. */
export function explanationsLines(explained: readonly ExplainedBreak[]): string {
  return sheetLines(
    explained.map(({ identity, cause, text, file, line }) => [identity, cause, text, file, line]),
  )
}

/** The explanations of a file of identities and JSON, as lib/run/explain-night.ts writes it for COPY. */
export async function* explanationsOf(file: string): AsyncGenerator<ExplainedBreak> {
  const lines = createInterface({
    input: createReadStream(file, 'utf8'),
    crlfDelay: Number.POSITIVE_INFINITY,
  })
  for await (const line of lines) {
    const [identity, json] = line.split('\t')
    if (json === undefined) continue
    yield { identity: identity!, ...(JSON.parse(json.replaceAll('\\\\', '\\')) as Explanation) }
  }
}
