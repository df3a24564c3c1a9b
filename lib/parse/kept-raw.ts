/**
 * A record's text as a reject keeps it, for longer than its file is open. What is rejected and why
 * is told in csv-rejects.ts and xml-records.ts.
 */
import { boundedRaw } from '../model/issue.ts'

/** The text, bounded, with NUL shown as ␀ because no text column of a database can hold one. */
export function keptRaw(text: string): string {
  const bounded = boundedRaw(text)
  // A slice would keep its whole 256 KiB chunk alive for as long as the reject lives.
  return Buffer.from(bounded.includes('\0') ? bounded.replaceAll('\0', '\u2400') : bounded).toString()
}
