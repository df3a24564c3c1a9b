/**
 * A night's input -> the mail as it goes into the outbox: subject, headers, both parts, attachments.
 * Nothing is sent here (deliver/); who gets it comes from the environment's lists alone.
 */
import type { OutboxMail } from '../../ledger/outbox.ts'
import { nightReport, type Redaction } from '../assemble.ts'
import { type AttachmentSources, attachmentsOf } from '../attach/attachments.ts'
import { fittingHtml } from '../html/page.ts'
import type { NightReport, NightReportInput } from '../night-report.ts'
import { documentText } from '../text/page.ts'
import { messageIds } from './message-ids.ts'

/** What a mail needs besides the night. */
export interface ComposeOptions extends AttachmentSources {
  /** The ledger's id of the run. */
  readonly runId: string | null
  readonly redaction: Redaction
  /** `mailFrom` of the environment. */
  readonly from: string
  /** Addresses of the list that the job names. */
  readonly to: readonly string[]
}

/**
 * The mail of a night, with the report it was made of.
 * Guarantee: the same input gives the same mail to the byte; no value of a personal column, no known
 * secret and no control character in a header.
 * Cost: attachments are made block by block; each is held compressed, some 6 MB at most.
 */
export async function composeMail(
  input: NightReportInput,
  options: ComposeOptions,
): Promise<{ readonly report: NightReport; readonly mail: OutboxMail }> {
  const report = nightReport(input, options.redaction)
  const { attachments, attached } = await attachmentsOf(report, input, options)
  const { document, html } = fittingHtml(report, attached)
  const ids = messageIds(report, options.from)
  const mail: OutboxMail = {
    runId: options.runId,
    kind: report.status === 'FAILED' ? 'failure' : 'report',
    messageId: ids.messageId,
    from: options.from,
    to: options.to,
    subject: document.subject,
    headers: {
      Date: new Date(input.at).toUTCString().replace('GMT', '+0000'),
      References: `<${ids.thread}>`,
      'In-Reply-To': `<${ids.thread}>`,
      'List-Id': `<${ids.listId}>`,
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      'X-Tallyman-Status': report.status,
    },
    text: documentText(document),
    html,
    attachments,
    // Whether it may leave this machine is decided when it is delivered, not when it is written.
    held: false,
  }
  return { report, mail }
}

/**
 * Whether a night is worth a mail. A clean night always sends: silence is an alarm (E7). A night on
 * which nothing came sends nothing; one that met files which are already loaded says so, once.
 */
export function isWorthAMail({ status, files }: Pick<NightReport, 'status' | 'files'>): boolean {
  return status !== 'NOTHING TO DO' || files.length > 0
}
