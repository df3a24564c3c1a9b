/**
 * A mail that the server finds too big, without its attachments and saying so at its top (E3).
 * The whole mail stays in the outbox folder.
 */
import type { OutboxMail } from '../../ledger/outbox.ts'
import { bytes, plural } from '../figures.ts'
import { INLINE } from '../html/style.ts'
import { markup } from '../html/template.ts'

/** The mail without attachments; `file` is where the whole one lies. */
export function withoutAttachments<M extends OutboxMail>(mail: M, file: string): M {
  const size = mail.attachments.reduce((sum, { content }) => sum + content.length, 0)
  const notice = `The mail server did not take the ${plural(mail.attachments.length, 'attachment')} (${bytes(size)}). The whole mail lies in ${file}.`
  const box = String(markup`<p class="b" style="${INLINE.notice}">${notice}</p>`)
  return {
    ...mail,
    attachments: [],
    text: `* ${notice}\n\n${mail.text}`,
    html: mail.html.replace('</h1>', () => `</h1>${box}`),
  }
}
