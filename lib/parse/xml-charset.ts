/**
 * The charset of an XML file: its byte order mark, its own declaration and the job's must agree.
 * Decoding happens in source-text.ts.
 */
import { utf16Without } from '../format/byte-order-mark.ts'
import { canonicalCharset } from '../format/charset.ts'
import { ParseError, type TallymanError } from '../model/errors.ts'
import type { TextRules } from './source-text.ts'

/** Judges the first bytes of an XML file; `wanted` is what the job declares, null for nothing. */
export function xmlCharset(subject: string, wanted: string | null): TextRules['charsetOf'] {
  return (head, mark) => {
    const wide = mark ?? utf16Without(head)
    const text = head.toString(wide?.startsWith('utf-16') ? 'utf16le' : 'latin1')
    const swapped =
      wide === 'utf-16be'
        ? Buffer.from(head.subarray(0, head.length & ~1))
            .swap16()
            .toString('utf16le')
        : text
    const written = /^(?:\ufeff|\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]*)["']/.exec(
      swapped,
    )?.[1]
    const stated = written === undefined ? null : known(subject, written)
    const found = wide ?? (stated === null || stated.startsWith('utf-16') ? 'utf-8' : stated)
    if (stated !== null && !agrees(stated, found)) {
      throw mismatch(subject, `its XML declaration says ${stated}, but its bytes are ${found}`)
    }
    const declared = wanted === null ? null : canonicalCharset(wanted)
    if (declared !== null && !agrees(declared, found)) {
      throw mismatch(subject, `the job declares ${declared}, but the file says ${found}`)
    }
    return found
  }
}

function agrees(stated: string, found: string): boolean {
  return stated === found || (stated === 'utf-16' && found.startsWith('utf-16'))
}

function known(subject: string, name: string): string {
  try {
    return canonicalCharset(name)
  } catch (cause) {
    throw mismatch(subject, (cause as TallymanError).message.replace(/\.$/, ''))
  }
}

function mismatch(subject: string, found: string): ParseError {
  return new ParseError(
    'PARSE_CHARSET_MISMATCH',
    `${subject}: ${found}. Nothing of this file is loaded; ask the sender.`,
  )
}
