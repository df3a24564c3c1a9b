/**
 * One file from the source into the archive: download, judge, decode, date, name. The order in which
 * things become durable is T1 of the design: first the bytes, then the name, then (in fetch-files.ts)
 * the row in the run ledger.
 */
import { rm } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import { failpoint } from '../model/failpoint.ts'
import type { FetchSpec } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { FileFinding, HeldFile, ReceivedFile } from '../model/received-file.ts'
import { printableName, type SourceConnection } from '../model/source.ts'
import type { BusinessDate } from '../model/time/business-date.ts'
import type { ArchiveFolder, Workplace } from './archive.ts'
import { arrivalOf } from './candidates.ts'
import type { ReadyFile } from './completeness.ts'
import { dateInContent } from './content-date.ts'
import { type Decoded, decode } from './decode.ts'
import { type Downloaded, download } from './download.ts'
import { retrying } from './retry.ts'
import { UnusableFile } from './unusable-file.ts'

/** What receiving one file needs to know. */
export interface Receiving {
  readonly spec: FetchSpec
  /** The run's date; a file that tells its own is filed under that. */
  readonly businessDate: BusinessDate
  readonly source: SourceConnection
  readonly archive: ArchiveFolder
  readonly workplace: Workplace
  readonly context: StepContext
}

/**
 * The archived file, in quarantine where it can't be used; or a held one when it changed meanwhile.
 * On failure: throws, and nothing of it is left in the archive.
 */
export async function receive(to: Receiving, ready: ReadyFile): Promise<ReceivedFile | HeldFile> {
  const { spec, source, workplace, context } = to
  const { file, checksum } = ready
  const part = workplace.partPath()
  const options = { maxBytes: spec.limits.maxBytes, checksum }
  const raw = await retrying(context, printableName(file.remoteName), () =>
    download(source, file, part, options, context),
  )
  if ('code' in raw) return raw
  try {
    failpoint('fetch.after-download')
    const { content, businessDate, quarantine } = await judge(to, ready, raw)
    const key = {
      businessDate,
      rawSha256: raw.rawSha256,
      contentSha256: content?.sha256 ?? raw.rawSha256,
    }
    const paths = await publishOrClean(to, key, raw, content)
    return {
      ...file,
      ...key,
      ...paths,
      feed: spec.feed,
      contentBytes: content?.bytes ?? raw.bytes,
      archive: relative(to.archive.path, paths.rawPath).split(sep).join('/'),
      arrival: arrivalOf(file),
      known: false,
      quarantine,
      statesItsDate: quarantine === null && typeof spec.dateFrom === 'object',
    }
  } finally {
    await rm(part, { force: true })
  }
}

async function publishOrClean(
  to: Receiving,
  key: Pick<ReceivedFile, 'businessDate' | 'rawSha256' | 'contentSha256'>,
  raw: Downloaded,
  content: Decoded | null,
) {
  try {
    return await to.workplace.publish(key, raw.path, content?.path ?? null)
  } catch (error) {
    if (content !== null) await rm(content.path, { force: true })
    throw error
  }
}

interface Judgement {
  readonly content: Decoded | null
  readonly businessDate: BusinessDate
  readonly quarantine: FileFinding | null
}

/** Whether the bytes may be used, what they decode to, and of which date they are. */
async function judge(to: Receiving, { file, checksum }: ReadyFile, raw: Downloaded): Promise<Judgement> {
  const { spec, businessDate } = to
  const name = printableName(file.remoteName)
  const inQuarantine = (code: string, message: string, content: Decoded | null = null): Judgement => ({
    content,
    businessDate,
    quarantine: { code, message },
  })
  if (checksum !== null && raw.stated !== checksum.hex) {
    return inQuarantine(
      'FETCH_CHECKSUM_MISMATCH',
      `${name} came over with the ${checksum.algorithm} ${raw.stated}, but its checksum file says ${checksum.hex}. It is kept and not loaded; ask the partner to send both again.`,
    )
  }
  let content: Decoded | null
  try {
    content = await decode(
      raw.path,
      spec.decode,
      () => to.workplace.partPath(),
      spec.limits,
      to.context.signal,
    )
  } catch (error) {
    if (!(error instanceof UnusableFile)) throw error
    return inQuarantine(error.code, `${name}: ${error.message}`)
  }
  if ((content?.bytes ?? raw.bytes) === 0) {
    return inQuarantine(
      'FETCH_FILE_EMPTY',
      `${name} is empty: not even a header. It is kept and not loaded; ask the partner whether there was really nothing.`,
      content,
    )
  }
  if (typeof spec.dateFrom !== 'object') return { content, businessDate, quarantine: null }
  const stated = await dateInContent(content?.path ?? raw.path, spec.dateFrom)
  if (stated !== null) return { content, businessDate: stated, quarantine: null }
  return inQuarantine(
    'FETCH_DATE_NOT_FOUND',
    `${name} states no business date where the job expects one (pattern ${spec.dateFrom.content}, format ${spec.dateFrom.format}, first 64 KiB). It is kept and not loaded; correct the job's dateFrom or ask the partner.`,
    content,
  )
}
