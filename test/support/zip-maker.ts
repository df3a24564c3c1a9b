/**
 * Makes zip archives for tests, honest ones and others, byte by byte.
 */
import { crc32, deflateRawSync } from 'node:zlib'

/** One file of an archive and how it lies. */
export interface ZippedFile {
  readonly name: string
  readonly content: string | Uint8Array
  readonly stored?: boolean
  readonly encrypted?: boolean
  /** Stated instead of the real ones. */
  readonly crc?: number
  readonly size?: number
  /** Sizes in a zip64 field, as programs write that do not know them beforehand. */
  readonly zip64?: boolean
  /** Stated instead of deflate or stored. */
  readonly method?: number
  /** A symbolic link, as `zip -y` packs it. */
  readonly link?: boolean
  /** Stated instead of the real packed size. */
  readonly packedSize?: number
}

/** An archive of these files. */
export function zip(...files: readonly ZippedFile[]): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const file of files) {
    const content = Buffer.from(file.content)
    const packed = file.stored === true ? content : deflateRawSync(content)
    const name = Buffer.from(file.name)
    const method = file.method ?? (file.stored === true ? 0 : 8)
    const flags = 0x800 | (file.encrypted === true ? 1 : 0)
    const crc = file.crc ?? crc32(content)
    const size = file.size ?? content.length
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(flags, 6)
    local.writeUInt16LE(method, 8)
    local.writeUInt16LE(name.length, 26)
    locals.push(local, name, packed)
    const extra = file.zip64 === true ? Buffer.alloc(20) : Buffer.alloc(0)
    if (file.zip64 === true) {
      extra.writeUInt16LE(1, 0)
      extra.writeUInt16LE(16, 2)
      extra.writeBigUInt64LE(BigInt(size), 4)
      extra.writeBigUInt64LE(BigInt(packed.length), 12)
    }
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(flags, 8)
    entry.writeUInt16LE(method, 10)
    entry.writeUInt32LE(crc, 16)
    entry.writeUInt32LE(file.zip64 === true ? 0xffffffff : (file.packedSize ?? packed.length), 20)
    entry.writeUInt32LE(file.zip64 === true ? 0xffffffff : size, 24)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt16LE(extra.length, 30)
    entry.writeUInt32LE(file.link === true ? (0o120777 << 16) >>> 0 : 0, 38)
    entry.writeUInt32LE(at, 42)
    directory.push(entry, name, extra)
    at += 30 + name.length + packed.length
  }
  const directoryBytes = directory.reduce((sum, part) => sum + part.length, 0)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(directoryBytes, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...locals, ...directory, end])
}
