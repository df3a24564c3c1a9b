/**
 * Mails as files: .eml for a mail program, .html and .txt to look at. Outside production this is
 * where mails go; the demo keeps them as well. All file names are ours.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutboxMail } from '../../ledger/outbox.ts'
import { ReportError } from '../../model/errors.ts'
import { emlOf } from './eml.ts'

/** The paths of one mail. */
export interface MailFiles {
  readonly eml: string
  readonly html: string
  readonly text: string
}

/** A safe file name from a Message-ID: letters, digits, dots and dashes of its part before the @. */
export function fileNameOf(messageId: string): string {
  const local = messageId.split('@')[0] ?? ''
  const name = local
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, 120)
  return name === '' ? 'mail' : name
}

/**
 * Writes a mail's files; the same mail again replaces them.
 * Guarantee: no half-written file is ever seen under its name.
 * @throws REPORT_FOLDER_UNWRITABLE
 */
export async function writeMailFiles(folder: string, mail: OutboxMail): Promise<MailFiles> {
  const path = join(folder, fileNameOf(mail.messageId))
  const files: MailFiles = { eml: `${path}.eml`, html: `${path}.html`, text: `${path}.txt` }
  const eml = await emlOf(mail)
  try {
    await mkdir(folder, { recursive: true })
    await replace(files.eml, eml)
    await replace(files.html, Buffer.from(mail.html))
    await replace(files.text, Buffer.from(mail.text))
  } catch (error) {
    throw new ReportError(
      'REPORT_FOLDER_UNWRITABLE',
      `The mail ${mail.messageId} can't be written into the outbox folder ${folder} (${(error as Error).message}). It stays in the outbox and is tried again.`,
      { retry: 'backoff', details: { folder }, cause: error },
    )
  }
  return files
}

async function replace(path: string, content: Buffer): Promise<void> {
  const part = `${path}.part`
  await writeFile(part, content)
  await rename(part, path)
}
