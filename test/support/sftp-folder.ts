/**
 * The SFTP requests of sftp-peer.ts: a folder of this machine served as a whole file system, with
 * switchable faults. Reading, renaming and removing only: partners' outboxes take no uploads from us.
 */
import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  read as readFd,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { posix } from 'node:path'
import type { Attributes, Connection, FileEntry, SFTPWrapper } from 'ssh2'
import { loadSsh2 } from '../../lib/sftp/ssh2.ts'

const ssh2 = loadSsh2()
const { STATUS_CODE } = ssh2.utils.sftp

/** Entries per answer to READDIR, as OpenSSH sends them. */
const ENTRIES_PER_ANSWER = 100

/** How the server misbehaves; all parts may be set and deleted while it runs. Bytes count per download. */
export interface SftpFaults {
  /** Only for downloads of this name. */
  only?: string
  /** This many downloads misbehave, then the server recovers. */
  times?: number
  /** Drops the connection once this many bytes of a file were sent. */
  cutAfter?: number
  /** Closes SFTP, but not the connection, once this many bytes of a file were sent. */
  hangUpAfter?: number
  /** Lets clients log in but never opens SFTP for them. */
  neverOpens?: boolean
  /** Answers nothing more about a file once this many bytes were sent; SSH keepalives go on. */
  stallAfter?: number
  /** Says "end of file" here. */
  endAfter?: number
  /** Answers every READ in full, so that the file never ends. */
  endless?: boolean
  /** Runs once per download, after the first bytes were sent, with the file's local path. */
  duringDownload?: (localPath: string) => void
  /** Added to every size that is told. */
  sizeOff?: number
  /** Answers to READ hold at most this many bytes. */
  readAtMost?: number
  /** Refuses STAT, LSTAT and FSTAT as unsupported. */
  noStat?: boolean
  /** Answers STAT, LSTAT and FSTAT with a failure of its own. */
  failStat?: boolean
  /** Listings name no answer at all. */
  stallListing?: boolean
  /** Listings never come to their end. */
  endlessListing?: boolean
  /** Runs before each part of a listing is answered. */
  beforeListingPart?: () => void
  /** Entries of listings come without attributes, as the protocol permits; their long names stay. */
  bareListing?: boolean
  /** Long names of listings are not those of `ls -l`. */
  oddLongNames?: boolean
  /** Names that a listing holds besides the real ones, as regular files of one byte. */
  extraNames?: readonly string[]
  refuseRename?: boolean
  refuseRemove?: boolean
  /** Runs before a rename is made, with the local path of what is renamed. */
  beforeRename?: (localPath: string) => void
  /** Runs after a rename was made, with the local path under which it was known before. */
  afterRename?: (localPath: string) => void
  /** Past a file's beginning holds its answers to READ back until so many requests wait, once. */
  holdUntilWaiting?: number
  /** Runs before each answer to READ. */
  beforeReadAnswer?: () => void
  /** Paces downloads. */
  bytesPerSecond?: number
}

interface OpenFile {
  readonly kind: 'file'
  readonly fd: number
  readonly path: string
  readonly local: string
  /** Whether cut, stall, end and pace apply to this download. */
  readonly faulty: boolean
  sent: number
  hookRan: boolean
}

interface OpenFolder {
  readonly kind: 'folder'
  readonly entries: FileEntry[]
}

/** Serves `root` over one SFTP channel. */
export function serveFolder(
  sftp: SFTPWrapper,
  root: string,
  faults: SftpFaults,
  seen: string[],
  connection: Connection,
): void {
  const handles = new Map<number, OpenFile | OpenFolder>()
  const heldBack: (() => void)[] = []
  let nextHandle = 0
  const local = (path: string) => posix.join(root, posix.normalize(`/${path}`))
  const handleOf = (handle: Buffer) => handles.get(handle.readUInt32BE(0))
  const give = (id: number, opened: OpenFile | OpenFolder) => {
    const handle = Buffer.alloc(4)
    handle.writeUInt32BE(nextHandle)
    handles.set(nextHandle, opened)
    nextHandle += 1
    sftp.handle(id, handle)
  }
  /** Runs a request on the disk and answers with the status of what went wrong. */
  const attempt = (id: number, what: string, action: () => void) => {
    seen.push(what)
    try {
      action()
    } catch (error) {
      sftp.status(id, statusOf(error))
    }
  }
  const done = (id: number) => sftp.status(id, STATUS_CODE.OK)

  sftp.on('REALPATH', (id, path) =>
    sftp.name(id, [{ filename: posix.normalize(`/${path}`), longname: '', attrs: {} as Attributes }]),
  )
  sftp.on('OPEN', (id, path, flags) =>
    attempt(id, `OPEN ${path}`, () => {
      if ((flags & ssh2.utils.sftp.OPEN_MODE.WRITE) !== 0)
        return sftp.status(id, STATUS_CODE.PERMISSION_DENIED)
      const fd = openSync(local(path), constants.O_RDONLY)
      const concerned = faults.only === undefined || faults.only === posix.basename(path)
      const faulty = concerned && (faults.times ?? 1) > 0
      if (faulty && faults.times !== undefined) faults.times -= 1
      give(id, { kind: 'file', fd, path, local: local(path), faulty, sent: 0, hookRan: false })
    }),
  )
  sftp.on('READ', (id, handle, offset, length) => {
    const file = handleOf(handle)
    if (file?.kind !== 'file') return sftp.status(id, STATUS_CODE.FAILURE)
    const serve = () => serveRead(sftp, id, file, offset, length, faults, connection)
    if (faults.holdUntilWaiting === undefined || offset === 0) return serve()
    heldBack.push(serve)
    if (heldBack.length < faults.holdUntilWaiting) return
    delete faults.holdUntilWaiting
    for (const answer of heldBack.splice(0)) answer()
  })
  sftp.on('CLOSE', (id, handle) => {
    const opened = handleOf(handle)
    if (opened?.kind === 'file') {
      seen.push(`CLOSE ${opened.path}`)
      closeSync(opened.fd)
    }
    handles.delete(handle.readUInt32BE(0))
    done(id)
  })
  const stat = (id: number, what: string, read: () => Attributes) =>
    attempt(id, what, () =>
      faults.failStat === true
        ? sftp.status(id, STATUS_CODE.FAILURE)
        : faults.noStat === true
          ? sftp.status(id, STATUS_CODE.OP_UNSUPPORTED)
          : sftp.attrs(id, read()),
    )
  sftp.on('STAT', (id, path) => stat(id, `STAT ${path}`, () => attributes(statSync(local(path)), faults)))
  sftp.on('LSTAT', (id, path) => stat(id, `LSTAT ${path}`, () => attributes(lstatSync(local(path)), faults)))
  sftp.on('FSTAT', (id, handle) =>
    stat(id, 'FSTAT', () => attributes(fstatSync((handleOf(handle) as OpenFile).fd), faults)),
  )
  sftp.on('OPENDIR', (id, path) =>
    attempt(id, `OPENDIR ${path}`, () => {
      const entries = readdirSync(local(path), { withFileTypes: true }).flatMap(entry =>
        listed(entry, faults),
      )
      for (const name of faults.extraNames ?? []) entries.push(invented(name))
      give(id, { kind: 'folder', entries })
    }),
  )
  sftp.on('READDIR', (id, handle) => {
    if (faults.stallListing === true) return
    faults.beforeListingPart?.()
    if (faults.endlessListing === true)
      return sftp.name(
        id,
        Array.from({ length: 1000 }, () => invented('x')),
      )
    const folder = handleOf(handle)
    if (folder?.kind !== 'folder') return sftp.status(id, STATUS_CODE.FAILURE)
    if (folder.entries.length === 0) return sftp.status(id, STATUS_CODE.EOF)
    sftp.name(id, folder.entries.splice(0, ENTRIES_PER_ANSWER))
  })
  sftp.on('RENAME', (id, from, to) =>
    attempt(id, `RENAME ${from} ${to}`, () => {
      if (faults.refuseRename === true) return sftp.status(id, STATUS_CODE.PERMISSION_DENIED)
      faults.beforeRename?.(local(from))
      if (lstatSync(local(to), { throwIfNoEntry: false }) !== undefined)
        return sftp.status(id, STATUS_CODE.FAILURE)
      renameSync(local(from), local(to))
      faults.afterRename?.(local(from))
      done(id)
    }),
  )
  sftp.on('REMOVE', (id, path) =>
    attempt(id, `REMOVE ${path}`, () => {
      if (faults.refuseRemove === true) return sftp.status(id, STATUS_CODE.PERMISSION_DENIED)
      unlinkSync(local(path))
      done(id)
    }),
  )
  sftp.on('MKDIR', (id, path) =>
    attempt(id, `MKDIR ${path}`, () => {
      mkdirSync(local(path))
      done(id)
    }),
  )
  sftp.on('RMDIR', (id, path) =>
    attempt(id, `RMDIR ${path}`, () => {
      rmdirSync(local(path))
      done(id)
    }),
  )
  // Files that a client which vanished left open.
  connection.on('close', () => {
    for (const opened of handles.values()) if (opened.kind === 'file') closeSync(opened.fd)
    handles.clear()
  })
}

function serveRead(
  sftp: SFTPWrapper,
  id: number,
  file: OpenFile,
  offset: number,
  length: number,
  faults: SftpFaults,
  connection: Connection,
): void {
  let wanted = Math.min(length, faults.readAtMost ?? length)
  if (file.faulty) {
    if (offset + wanted > (faults.stallAfter ?? Infinity)) return
    if (offset + wanted > (faults.cutAfter ?? Infinity)) {
      // The connection's own socket is not part of the package's declarations.
      ;(connection as unknown as { _sock: { destroy(): void } })._sock.destroy()
      return
    }
    if (offset + wanted > (faults.hangUpAfter ?? Infinity)) {
      sftp.end()
      return
    }
    wanted = Math.min(wanted, (faults.endAfter ?? Infinity) - offset)
    if (wanted <= 0) {
      sftp.status(id, STATUS_CODE.EOF)
      return
    }
  }
  const buffer = Buffer.allocUnsafe(wanted)
  readFd(file.fd, buffer, 0, wanted, offset, (error, bytes) => {
    if (error !== null) return sftp.status(id, STATUS_CODE.FAILURE)
    if (faults.endless === true) bytes = buffer.fill(0, bytes).length
    if (bytes === 0) return sftp.status(id, STATUS_CODE.EOF)
    file.sent += bytes
    faults.beforeReadAnswer?.()
    const answer = () => sftp.data(id, buffer.subarray(0, bytes))
    if (faults.bytesPerSecond === undefined) answer()
    else setTimeout(answer, (bytes / faults.bytesPerSecond) * 1000)
    if (file.faulty && !file.hookRan && faults.duringDownload !== undefined) {
      file.hookRan = true
      faults.duringDownload(file.local)
    }
  })
}

function attributes(
  stats: { mode: number; uid: number; gid: number; size: number; atimeMs: number; mtimeMs: number },
  faults: SftpFaults,
): Attributes {
  return {
    mode: stats.mode,
    uid: stats.uid,
    gid: stats.gid,
    size: Math.max(0, stats.size + (faults.sizeOff ?? 0)),
    atime: Math.floor(stats.atimeMs / 1000),
    mtime: Math.floor(stats.mtimeMs / 1000),
  }
}

function listed(entry: Dirent, faults: SftpFaults): FileEntry[] {
  const stats = lstatSync(posix.join(entry.parentPath, entry.name), { throwIfNoEntry: false })
  if (stats === undefined) return []
  const letter = stats.isDirectory() ? 'd' : stats.isSymbolicLink() ? 'l' : '-'
  const longname =
    faults.oddLongNames === true
      ? entry.name
      : `${letter}rw-r--r-- 1 partner partner ${stats.size} Nov 20 00:00 ${entry.name}`
  const attrs = faults.bareListing === true ? ({} as Attributes) : attributes(stats, faults)
  return [{ filename: entry.name, longname, attrs }]
}

function invented(filename: string): FileEntry {
  const attrs = { mode: 0o100644, uid: 0, gid: 0, size: 1, atime: 1_700_000_000, mtime: 1_700_000_000 }
  return { filename, longname: `-rw-r--r-- 1 partner partner 1 Nov 20 00:00 ${filename}`, attrs }
}

function statusOf(error: unknown): number {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return STATUS_CODE.NO_SUCH_FILE
    case 'EACCES':
    case 'EPERM':
      return STATUS_CODE.PERMISSION_DENIED
    default:
      return STATUS_CODE.FAILURE
  }
}
