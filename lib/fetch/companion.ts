/**
 * Files that only speak about others: done markers and checksum sidecars. They are looked for by name,
 * read where they hold a checksum, and never loaded.
 */
import type { Completeness } from '../model/job.ts'
import { printableName, type SourceConnection } from '../model/source.ts'

/** A sidecar is one line per file; what is longer is none. */
const MAX_SIDECAR_BYTES = 65_536

/** The name of a file's marker or sidecar; null when completeness needs none. */
export function companionOf(rule: Completeness, name: string): string | null {
  // A function as replacement: in a string `$&` and the like of a partner's name would be expanded.
  return rule.kind === 'settled' ? null : rule.file.replaceAll('{name}', () => name)
}

/** Whether a name is that of a marker or sidecar. */
export function isCompanion(rule: Completeness, name: string): boolean {
  if (rule.kind === 'settled') return false
  const at = rule.file.indexOf('{name}')
  if (at === -1) return name === rule.file
  const before = rule.file.slice(0, at)
  const after = rule.file.slice(at + '{name}'.length)
  return name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after)
}

/** What a sidecar says. */
export interface StatedChecksum {
  readonly algorithm: 'sha256' | 'md5'
  /** Lower-case hex. */
  readonly hex: string
}

/** Reads the sidecar of a file; text when it can't be understood, saying why. */
export async function readSidecar(
  source: SourceConnection,
  folder: string,
  sidecar: string,
  name: string,
): Promise<StatedChecksum | string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of source.read(folder, sidecar)) {
    bytes += piece.length
    if (bytes > MAX_SIDECAR_BYTES) return `${printableName(sidecar)} is longer than any checksum file`
    pieces.push(Buffer.from(piece))
  }
  return parseSidecar(Buffer.concat(pieces).toString('utf8'), sidecar, name)
}

/** The checksum in a sidecar: the only one, or the one on the line that names the file (`sha256sum`'s form). */
export function parseSidecar(text: string, sidecar: string, name: string): StatedChecksum | string {
  const lines = [
    ...text.matchAll(/^\uFEFF?\\?([0-9a-fA-F]{64}|[0-9a-fA-F]{32})(?:[ \t]+\*?(.*?))?[ \t]*\r?$/gm),
  ]
  const line = lines.length === 1 ? lines[0] : lines.find(found => found[2] === name)
  if (line === undefined) {
    return `${printableName(sidecar)} holds no SHA-256 or MD5 in hex for ${printableName(name)}`
  }
  const hex = line[1]!.toLowerCase()
  return { algorithm: hex.length === 64 ? 'sha256' : 'md5', hex }
}
