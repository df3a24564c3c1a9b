/**
 * From the bytes as received to the content that parse reads: gunzip and unzip, one step after the
 * other, each with caps against bombs (B28). A new kind of decoding is a new entry in STEPS_BY_NAME.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { Decoding } from '../model/job.ts'
import { createFile, type DiskWriter } from './disk.ts'
import { UnusableFile } from './unusable-file.ts'
import { type DecodedSink, unzipTo } from './unzip.ts'

/** Below this size the ratio is not judged: small files of blanks pack well and harm nobody. */
const RATIO_FROM_BYTES = 8 * 1024 * 1024

/** Limits of a feed that concern decoding. */
export interface DecodeLimits {
  readonly maxBytes: number
  readonly maxRatio: number
}

/** The decoded content under a temporary name. */
export interface Decoded {
  readonly path: string
  readonly sha256: string
  readonly bytes: number
}

/** One decoding: reads `path`, gives everything to the sink. */
type DecodeStep = (path: string, sink: DecodedSink, signal: AbortSignal) => Promise<void>

const STEPS_BY_NAME: Readonly<Record<Decoding, DecodeStep>> = {
  gunzip: (path, sink, signal) =>
    pipeline(createReadStream(path), createGunzip(), chunks => sink(chunks as AsyncIterable<Buffer>), {
      signal,
    }),
  unzip: unzipTo,
}

/**
 * Decodes `rawPath` by the steps; null when there are none. Streams: memory does not grow with the file.
 * On failure: nothing is left of what was written.
 * @throws UnusableFile with FETCH_DECODE_FAILED, FETCH_DECODE_TOO_BIG, FETCH_NESTED_ARCHIVE or FETCH_ZIP_*
 * @throws FETCH_DISK_FULL, FETCH_DISK_FAILED
 */
export async function decode(
  rawPath: string,
  steps: readonly Decoding[],
  partPath: () => string,
  limits: DecodeLimits,
  signal: AbortSignal,
): Promise<Decoded | null> {
  let current: Decoded | null = null
  for (const step of steps) {
    const input: string = current?.path ?? rawPath
    try {
      current = await decodeOnce(
        STEPS_BY_NAME[step],
        step,
        input,
        await createFile(partPath()),
        limits,
        signal,
      )
    } finally {
      if (input !== rawPath) await rm(input, { force: true })
    }
  }
  try {
    await refuseArchive(current?.path ?? rawPath, steps)
  } catch (error) {
    if (current !== null) await rm(current.path, { force: true })
    throw error
  }
  return current
}

async function decodeOnce(
  decoding: DecodeStep,
  name: Decoding,
  input: string,
  writer: DiskWriter,
  limits: DecodeLimits,
  signal: AbortSignal,
): Promise<Decoded> {
  const hash = createHash('sha256')
  let bytes = 0
  try {
    const handle = await open(input, 'r')
    const inputBytes = (await handle.stat()).size
    await handle.close()
    const judge = () => {
      if (bytes > limits.maxBytes) throw tooBig(`more than the ${limits.maxBytes} bytes that the feed allows`)
      if (bytes > RATIO_FROM_BYTES && bytes > inputBytes * limits.maxRatio) {
        throw tooBig(`more than ${limits.maxRatio} times its packed size`)
      }
    }
    await decoding(
      input,
      async chunks => {
        for await (const chunk of chunks) {
          bytes += chunk.length
          judge()
          hash.update(chunk)
          await writer.write(chunk)
        }
      },
      signal,
    )
    await writer.finish()
  } catch (error) {
    await writer.discard()
    if (signal.aborted) throw signal.reason
    throw isZlibError(error) ? damaged(name, error) : error
  }
  return { path: writer.path, sha256: hash.digest('hex'), bytes }
}

/** What is left must be data: an archive in an archive, or one that the job does not expect, is refused. */
async function refuseArchive(path: string, steps: readonly Decoding[]): Promise<void> {
  const handle = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0)
    const magic = buffer.toString('latin1', 0, bytesRead)
    const kind = magic.startsWith('\x1f\x8b')
      ? 'gzip'
      : magic === 'PK\x03\x04' || magic === 'PK\x05\x06'
        ? 'zip'
        : null
    if (kind === null) return
    throw new UnusableFile(
      'FETCH_NESTED_ARCHIVE',
      steps.length === 0
        ? `The file is a ${kind} archive, but the job declares no decoding. It is kept and not loaded; add decode: ['${kind === 'zip' ? 'unzip' : 'gunzip'}'] to the job if that is what the partner agreed to send.`
        : `Inside the archive lies another one (${kind}). It is kept and not loaded: archives in archives are never opened. Ask the partner for a plain one.`,
    )
  } finally {
    await handle.close()
  }
}

function isZlibError(error: unknown): error is Error {
  return ((error as NodeJS.ErrnoException).code ?? '').startsWith('Z_')
}

function damaged(name: Decoding, error: Error): UnusableFile {
  return new UnusableFile(
    'FETCH_DECODE_FAILED',
    `The file can't be unpacked (${name}): ${error.message}. It is kept and not loaded; ask the partner to send it again.`,
    { cause: error },
  )
}

function tooBig(why: string): UnusableFile {
  return new UnusableFile(
    'FETCH_DECODE_TOO_BIG',
    `Unpacked, the file is ${why}. Unpacking was stopped, it is kept packed and not loaded; if the partner's data really is that large, raise the limits of the job.`,
  )
}
