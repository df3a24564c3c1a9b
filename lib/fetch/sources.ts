/**
 * How a job says where its files come from: `sftp({...})`, `folder({...})` and when a file is whole.
 * Pure data with defaults; mistakes are found by `tallyman check` (lib/config/check-source.ts).
 */
import { ConfigError } from '../model/errors.ts'
import type { Completeness, FolderSource, SftpSource, SourceRules } from '../model/job.ts'
import { namePattern } from '../model/time/date-tokens.ts'

/** Two listings this far apart must show the same size and mtime; partners' uploads pause for seconds, not for ten. */
const SETTLED_MS = 10_000

/** Larger than any delivery known so far (300 MB) and smaller than any disk. */
const MAX_BYTES = 4 * 1024 ** 3

/** A day with more files than this is a partner's accident. */
const MAX_FILES = 1_000

/** Silence after which a download is dropped and begun again: OpenSSH behind tape libraries was seen to pause for 20 s. */
const STALL_MS = 60_000

/** XML packs to a fortieth at best, zero bytes to a thousandth. */
const MAX_RATIO = 250

type Optional = 'folder' | 'dateFrom' | 'perDate' | 'completeWhen' | 'decode' | 'after' | 'refuseSameContent'
type Rules = Omit<SourceRules, Optional | 'limits'> &
  Partial<Pick<SourceRules, Optional>> & { readonly limits?: Partial<SourceRules['limits']> }

/** What `sftp` is given: `endpoint`, `feed` and `files` at least. */
export type SftpSourceOptions = Rules & { readonly endpoint: string }

/** Files on an SFTP server of the environment. Defaults: the login's folder, one file per date, settled, left where it is. */
export function sftp(options: SftpSourceOptions): SftpSource {
  return { kind: 'sftp', endpoint: options.endpoint, ...rules(options) }
}

/** Files in a local or mounted folder; a relative one is taken from the environment's data folder. */
export function folder(options: Rules & { readonly folder: string }): FolderSource {
  return { kind: 'folder', ...rules(options) }
}

function rules(options: Rules): SourceRules {
  return {
    feed: options.feed,
    folder: options.folder ?? '.',
    files: options.files,
    dateFrom: options.dateFrom ?? (tellsDate(options.files) ? 'name' : 'calendar'),
    perDate: options.perDate ?? 'one',
    completeWhen: options.completeWhen ?? settled(),
    decode: options.decode ?? [],
    after: options.after ?? 'leave',
    refuseSameContent: options.refuseSameContent ?? false,
    limits: {
      maxBytes: MAX_BYTES,
      maxFiles: MAX_FILES,
      stallMs: STALL_MS,
      maxRatio: MAX_RATIO,
      ...options.limits,
    },
  }
}

/** Whether names of this pattern tell their date. A pattern that can't be used stays data: `check` complains of it with all else. */
function tellsDate(files: string): boolean {
  try {
    return namePattern(files).tellsDate
  } catch (error) {
    if (error instanceof ConfigError) return false
    throw error
  }
}

/** A file is whole when two listings `forMs` apart (default 10 s) show the same size and mtime. */
export function settled(options: { readonly forMs?: number } = {}): Completeness {
  return { kind: 'settled', forMs: options.forMs ?? SETTLED_MS }
}

/** A file is whole when its marker lies beside it: `marker('{name}.done')`. */
export function marker(file: string): Completeness {
  return { kind: 'marker', file }
}

/** A file is whole when it has the SHA-256 or MD5 that its sidecar tells: `checksum('{name}.sha256')`. */
export function checksum(file: string): Completeness {
  return { kind: 'checksum', file }
}
