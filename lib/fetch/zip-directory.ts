/**
 * The central directory of a zip archive: which entries it has and where. Small on purpose: one disk,
 * zip64 sizes, nothing else of the format's history. Used by unzip.ts.
 */
import type { FileHandle } from 'node:fs/promises'
import { UnusableFile } from './unusable-file.ts'

/** An entry as the directory states it. Nothing of it is believed before the data proved it. */
export interface ZipEntry {
  /** Data; never used as a name of ours. */
  readonly name: string
  readonly method: number
  readonly encrypted: boolean
  readonly isLink: boolean
  readonly crc: number
  readonly packedSize: number
  readonly size: number
  readonly headerAt: number
}

const END_BYTES = 22
const LONGEST_COMMENT = 65_535
const LOCATOR_64_BYTES = 20

/** 46 bytes and a name per entry: an archive of one file has a directory far below this. */
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024

interface End {
  readonly entries: number
  readonly directoryAt: number
  readonly directoryBytes: number
}

/** All entries of an archive. @throws UnusableFile FETCH_DECODE_FAILED */
export async function readDirectory(handle: FileHandle): Promise<ZipEntry[]> {
  const end = await readEnd(handle)
  if (end.directoryBytes > MAX_DIRECTORY_BYTES) throw damagedZip('its directory is too large')
  const directory = await readExactly(handle, end.directoryAt, end.directoryBytes)
  const archiveBytes = (await handle.stat()).size
  const entries: ZipEntry[] = []
  let at = 0
  for (let count = 0; count < end.entries; count += 1) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== 0x02014b50) {
      throw damagedZip('its directory is damaged')
    }
    const nameBytes = directory.readUInt16LE(at + 28)
    const extraBytes = directory.readUInt16LE(at + 30)
    const next = at + 46 + nameBytes + extraBytes + directory.readUInt16LE(at + 32)
    if (next > directory.length) throw damagedZip('its directory is damaged')
    const entry = readEntry(directory.subarray(at, next), nameBytes, extraBytes)
    if (entry.headerAt + entry.packedSize > archiveBytes) throw damagedZip('an entry lies beyond its end')
    entries.push(entry)
    at = next
  }
  return entries
}

function readEntry(record: Buffer, nameBytes: number, extraBytes: number): ZipEntry {
  const flags = record.readUInt16LE(8)
  const name = record.subarray(46, 46 + nameBytes)
  const wide = wideNumbers(record, record.subarray(46 + nameBytes, 46 + nameBytes + extraBytes))
  return {
    // Bit 11: UTF-8; else some code page, of which latin1 shows every byte.
    name: name.toString((flags & 0x800) !== 0 ? 'utf8' : 'latin1'),
    method: record.readUInt16LE(10),
    // Bit 0: encrypted; bit 6: strongly; bit 13: the directory is masked.
    encrypted: (flags & 0x2041) !== 0,
    isLink: ((record.readUInt32LE(38) >>> 16) & 0o170000) === 0o120000,
    crc: record.readUInt32LE(16),
    ...wide,
  }
}

/** Sizes and offset, from the zip64 field where the plain ones are full. */
function wideNumbers(record: Buffer, extra: Buffer): Pick<ZipEntry, 'size' | 'packedSize' | 'headerAt'> {
  const plain = [record.readUInt32LE(24), record.readUInt32LE(20), record.readUInt32LE(42)]
  let wide: Buffer = Buffer.alloc(0)
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === 1) wide = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2))
  }
  let used = 0
  const [size, packedSize, headerAt] = plain.map(value => {
    if (value !== 0xffffffff) return value
    if (used + 8 > wide.length) throw damagedZip('its directory lacks a size')
    used += 8
    return Number(wide.readBigUInt64LE(used - 8))
  })
  return { size: size!, packedSize: packedSize!, headerAt: headerAt! }
}

async function readEnd(handle: FileHandle): Promise<End> {
  const { size } = await handle.stat()
  const tailBytes = Math.min(size, END_BYTES + LONGEST_COMMENT)
  const tail = await readExactly(handle, size - tailBytes, tailBytes)
  for (let at = tail.length - END_BYTES; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== 0x06054b50) continue
    if (at + END_BYTES + tail.readUInt16LE(at + 20) !== tail.length) continue
    const end = {
      entries: tail.readUInt16LE(at + 10),
      directoryBytes: tail.readUInt32LE(at + 12),
      directoryAt: tail.readUInt32LE(at + 16),
    }
    const full = end.entries === 0xffff || end.directoryBytes === 0xffffffff || end.directoryAt === 0xffffffff
    const found = full ? await readEnd64(handle, size - tailBytes + at) : end
    if (found.directoryAt + found.directoryBytes > size) throw damagedZip('its directory lies beyond its end')
    return found
  }
  throw damagedZip('it is none, or its end is missing')
}

async function readEnd64(handle: FileHandle, endAt: number): Promise<End> {
  if (endAt < LOCATOR_64_BYTES) throw damagedZip('its zip64 part is missing')
  const locator = await readExactly(handle, endAt - LOCATOR_64_BYTES, LOCATOR_64_BYTES)
  if (locator.readUInt32LE(0) !== 0x07064b50) throw damagedZip('its zip64 part is missing')
  const end = await readExactly(handle, Number(locator.readBigUInt64LE(8)), 56)
  if (end.readUInt32LE(0) !== 0x06064b50) throw damagedZip('its zip64 part is damaged')
  return {
    entries: Number(end.readBigUInt64LE(32)),
    directoryBytes: Number(end.readBigUInt64LE(40)),
    directoryAt: Number(end.readBigUInt64LE(48)),
  }
}

/** So many bytes from there. @throws UnusableFile FETCH_DECODE_FAILED where the file ends before */
export async function readExactly(handle: FileHandle, from: number, bytes: number): Promise<Buffer> {
  if (!Number.isSafeInteger(from) || from < 0) throw damagedZip('it points outside itself')
  const buffer = Buffer.alloc(bytes)
  const { bytesRead } = bytes === 0 ? { bytesRead: 0 } : await handle.read(buffer, 0, bytes, from)
  if (bytesRead !== bytes) throw damagedZip('it ends early')
  return buffer
}

/** The error of a zip archive that is not as it should be. */
export function damagedZip(why: string): UnusableFile {
  return new UnusableFile(
    'FETCH_DECODE_FAILED',
    `The zip archive can't be unpacked: ${why}. It is kept and not loaded; ask the partner to send it again.`,
  )
}
