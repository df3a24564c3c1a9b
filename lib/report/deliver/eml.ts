/**
 * A mail as the bytes that travel (MIME). The same mail gives the same bytes, so that a copy in the
 * outbox folder and a second try are what was sent. No content is ever fetched from a path or URL.
 */
import { createHash } from 'node:crypto'
import addressparser from 'nodemailer/lib/addressparser'
import MailComposer from 'nodemailer/lib/mail-composer'
import type { OutboxMail } from '../../ledger/outbox.ts'
import { visible } from '../visible.ts'

/** The bytes of the mail. Header values lose their control characters. */
export async function emlOf(mail: OutboxMail): Promise<Buffer> {
  const { Date: date, ...headers } = mail.headers
  const composer = new MailComposer({
    from: visible(mail.from),
    to: mail.to.map(address => visible(address)),
    subject: visible(mail.subject),
    messageId: `<${visible(mail.messageId)}>`,
    ...(date === undefined ? {} : { date }),
    headers: Object.entries(headers).map(([key, value]) => ({ key, value: visible(value) })),
    text: withCrLf(mail.text),
    html: withCrLf(mail.html),
    attachments: mail.attachments.map(({ name, contentType, content }) => ({
      filename: visible(name, 100),
      contentType,
      content,
    })),
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const message = composer.compile()
  message.baseBoundary = createHash('sha256').update(mail.messageId).digest('hex').slice(0, 24)
  return message.build()
}

/** Mail has one kind of line end; left to the connection, the copy in the folder would differ from what was sent. */
function withCrLf(text: string): string {
  return text.replace(/\r?\n/g, '\r\n')
}

/** The bare address of `Name <address>`; empty when there is none. */
export function bareAddress(address: string): string {
  const [first] = addressparser(visible(address), { flatten: true })
  return first?.address ?? ''
}
