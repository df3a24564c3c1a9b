/**
 * The business date that a file states about itself in its first 64 KiB, for feeds whose names tell
 * none. Everything else about a file's content is parse's.
 */
import { open } from 'node:fs/promises'
import { type BusinessDate, isDate } from '../model/time/business-date.ts'
import { dateByTokens } from '../model/time/date-tokens.ts'

/** Headers of statements and of XML messages end long before. */
const HEAD_BYTES = 65_536

/**
 * The first match of `pattern`'s group, read by `format`; null when there is none or it is no date.
 * Charset: by BOM, else one byte per character, in which every date of digits reads alike.
 */
export async function dateInContent(
  path: string,
  rule: { readonly content: string; readonly format: string },
): Promise<BusinessDate | null> {
  const handle = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    const found = new RegExp(rule.content, 'mu').exec(headText(buffer.subarray(0, bytesRead)))?.[1]
    if (found === undefined) return null
    // The plain form is read as it is, so that jobs need not spell out its tokens.
    return rule.format === 'yyyy-MM-dd' ? (isDate(found) ? found : null) : dateByTokens(found, rule.format)
  } finally {
    await handle.close()
  }
}

function headText(head: Buffer): string {
  if (head[0] === 0xff && head[1] === 0xfe) return head.toString('utf16le', 2)
  // swap16 wants whole pairs.
  if (head[0] === 0xfe && head[1] === 0xff) {
    return Buffer.from(head.subarray(2, head.length - (head.length % 2)))
      .swap16()
      .toString('utf16le')
  }
  return head.toString('latin1')
}
