/**
 * Message-IDs and threads. They derive from what a mail is about and never from when it is sent, so
 * that a mail sent twice after a lost answer is shown once, and all mails of a night form one thread.
 */
import { createHash } from 'node:crypto'
import type { NightReport } from '../night-report.ts'

/** The ids of one mail, without angle brackets. */
export interface MessageIds {
  readonly messageId: string
  /** Parent of all mails of (job, business date); never sent itself. */
  readonly thread: string
  readonly listId: string
}

/** The domain of an address, `tallyman.invalid` when it has none that is fit for an id. */
export function domainOf(address: string): string {
  const domain = /@([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)>?\s*$/i.exec(address)?.[1]
  return domain === undefined ? 'tallyman.invalid' : domain.toLowerCase()
}

/**
 * The ids of a report's mail.
 * Guarantee: equal for the same environment, job, date and comparison number (attempt number where
 * nothing was compared; file contents where there was nothing to do), different otherwise.
 */
export function messageIds(report: NightReport, from: string): MessageIds {
  const { run, environment } = report
  const domain = domainOf(from)
  const id = (kind: string) => {
    const digest = createHash('sha256')
      .update(JSON.stringify([environment.name, run.job, run.businessDate, kind]))
      .digest('hex')
      .slice(0, 16)
    return `${plain(run.job)}.${run.businessDate}.${digest}@${domain}`
  }
  return {
    messageId: id(distinction(report)),
    thread: id('thread'),
    listId: `${plain(run.job)}.tallyman.${domain}`,
  }
}

function distinction({ status, comparison, attempt, files }: NightReport): string {
  if (status === 'NOTHING TO DO') {
    // The same duplicates seen again at the next attempt are no news: the outbox keeps one mail of them.
    // A repeated delivery has its original's content and is listed beside it only once.
    return `nothing:${[...new Set(files.map(({ contentSha256 }) => contentSha256))].join(',')}`
  }
  return status === 'FAILED' || comparison === null ? `attempt:${attempt}` : `comparison:${comparison}`
}

/** Only letters, digits and dashes, as ids and list names may hold them. */
function plain(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 40) || 'job'
  )
}
