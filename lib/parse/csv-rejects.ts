/**
 * Records of a delimited file that can't be read as such: what is wrong with them, in words. The
 * decision that a record is one is csv-stream.ts's.
 */
import type { SplitRecord } from '../format/csv-split.ts'
import { issue, type Reject } from '../model/issue.ts'
import { keptRaw } from './kept-raw.ts'

/** A reject of one record. */
export function rejectRecord(
  file: number,
  record: { line: number; text: string },
  code: string,
  message: string,
): Reject {
  return {
    file,
    line: record.line,
    step: 'parse',
    raw: keptRaw(record.text),
    unit: null,
    issues: [issue(code, message)],
  }
}

/** The reject of a record whose cutting already found a fault; null for a sound one. */
export function rejectUnsound(
  file: number,
  record: SplitRecord,
  width: number,
  maxLength: number,
): Reject | null {
  const { problem } = record
  if (problem !== null) {
    const character = problem.at + 1
    switch (problem.kind) {
      case 'stray-quote':
        return rejectRecord(
          file,
          record,
          'PARSE_QUOTE_STRAY',
          `A quote stands within a cell that is not quoted (character ${character} of the record).`,
        )
      case 'closed-early':
        return rejectRecord(
          file,
          record,
          'PARSE_QUOTE_CLOSED_EARLY',
          `A quoted cell is closed and followed by other text (character ${character} of the record); quotes within quoted cells must be escaped.`,
        )
      case 'unknown-escape':
        return rejectRecord(
          file,
          record,
          'PARSE_ESCAPE_UNKNOWN',
          `The escape at character ${character} of the record precedes neither a quote nor an escape.`,
        )
      case 'too-long':
        return rejectRecord(
          file,
          record,
          'PARSE_RECORD_TOO_LONG',
          `The record is longer than ${maxLength} characters.`,
        )
    }
  }
  if (record.text.includes('\0')) {
    return rejectRecord(
      file,
      record,
      'PARSE_NUL',
      'The record contains a NUL byte (shown as ␀), which no text can hold.',
    )
  }
  if (record.cells !== width) {
    return rejectRecord(
      file,
      record,
      'PARSE_RAGGED',
      `The record has ${record.cells} cells where ${width} are expected.`,
    )
  }
  return null
}
