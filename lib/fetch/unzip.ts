/**
 * Reads the one file in a zip archive: by its central directory, streamed, with its size and CRC
 * proved. Names inside are looked at only to refuse them; nothing is ever named after them.
 */
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { crc32, createInflateRaw } from 'node:zlib'
import { printableName } from '../model/source.ts'
import { UnusableFile } from './unusable-file.ts'
import { damagedZip, readDirectory, readExactly, type ZipEntry } from './zip-directory.ts'

/** Takes decoded bytes in order. */
export type DecodedSink = (chunks: AsyncIterable<Buffer>) => Promise<void>

/** What is an archive by its name; by its first bytes it is recognised in decode.ts. */
const ARCHIVE_NAME = /\.(zip|gz|tgz|tar|bz2|xz|7z|rar|zst|jar)$/i

/**
 * Gives the content of the archive's only file to the sink.
 * @throws UnusableFile FETCH_ZIP_ENTRIES, FETCH_ZIP_ENCRYPTED, FETCH_ZIP_NAME, FETCH_NESTED_ARCHIVE,
 * FETCH_DECODE_FAILED
 */
export async function unzipTo(path: string, sink: DecodedSink, signal: AbortSignal): Promise<void> {
  const handle = await open(path, 'r')
  try {
    const entry = onlyFile(await readDirectory(handle))
    await inflate(path, entry, await dataStart(handle, entry), sink, signal)
  } finally {
    await handle.close()
  }
}

function onlyFile(entries: readonly ZipEntry[]): ZipEntry {
  for (const entry of entries) {
    if (/(^|[/\\])\.\.([/\\]|$)|^[/\\]|^[A-Za-z]:|\0/.test(entry.name)) {
      throw new UnusableFile(
        'FETCH_ZIP_NAME',
        `The zip archive holds an entry named ${printableName(entry.name)}, which points outside the archive. It is kept and not loaded; tell the partner, for no honest program writes such names.`,
      )
    }
  }
  const files = entries.filter(entry => !entry.name.endsWith('/'))
  if (files.length !== 1) {
    const names = files.slice(0, 5).map(file => printableName(file.name))
    throw new UnusableFile(
      'FETCH_ZIP_ENTRIES',
      `The zip archive holds ${files.length} files${files.length === 0 ? '' : ` (${names.join(', ')}${files.length > 5 ? ', …' : ''})`}; exactly one is expected. It is kept and not loaded; ask the partner for one archive per file.`,
    )
  }
  const file = files[0]!
  if (file.encrypted) {
    throw new UnusableFile(
      'FETCH_ZIP_ENCRYPTED',
      'The zip archive is encrypted with a password, which Tallyman does not open. It is kept and not loaded; agree with the partner on another protection.',
    )
  }
  if (ARCHIVE_NAME.test(file.name) || file.isLink) {
    throw new UnusableFile(
      'FETCH_NESTED_ARCHIVE',
      `The zip archive holds ${printableName(file.name)}, which is ${file.isLink ? 'a link' : 'an archive itself'}. It is kept and not loaded; ask the partner for an archive with the plain file in it.`,
    )
  }
  return file
}

async function dataStart(handle: FileHandle, entry: ZipEntry): Promise<number> {
  const header = await readExactly(handle, entry.headerAt, 30)
  if (header.readUInt32LE(0) !== 0x04034b50) throw damagedZip('its file has no header')
  return entry.headerAt + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
}

async function inflate(
  path: string,
  entry: ZipEntry,
  start: number,
  sink: DecodedSink,
  signal: AbortSignal,
): Promise<void> {
  if (entry.method !== 0 && entry.method !== 8) {
    throw damagedZip(`it is packed by method ${entry.method}; only deflate and stored are read`)
  }
  let crc = 0
  let bytes = 0
  const checked = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      crc = crc32(chunk, crc)
      bytes += chunk.length
      // A size that lies would let a bomb past the caps of whoever trusts it; we don't, and stop here.
      if (bytes > entry.size) throw damagedZip(`it holds more than the ${entry.size} bytes it states`)
      yield chunk
    }
  }
  if (entry.packedSize > 0) {
    const packed = createReadStream(path, { start, end: start + entry.packedSize - 1 })
    const taken = (chunks: AsyncIterable<Buffer>) => sink(checked(chunks))
    if (entry.method === 8) await pipeline(packed, createInflateRaw(), taken, { signal })
    else await pipeline(packed, taken, { signal })
  }
  if (bytes !== entry.size) throw damagedZip(`it holds ${bytes} bytes and states ${entry.size}`)
  if (crc !== entry.crc) throw damagedZip('its checksum (CRC-32) does not fit its content')
}
