/**
 * The data folder of a command: made where it is not there, and known to be writable before anything
 * else is started. What lies in it is said in engine.ts.
 */
import { constants } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { ConfigError } from '../model/errors.ts'

/** Makes the folder with all above it, and looks whether it can be written. @throws CONFIG_DATA_FOLDER */
export async function makeDataFolder(folder: string): Promise<void> {
  try {
    await make(folder)
    if (!(await stat(folder)).isDirectory()) throw new Error('it is a file')
    await access(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new ConfigError(
      'CONFIG_DATA_FOLDER',
      `The data folder ${folder} can't be used: ${REASONS[code ?? ''] ?? message}. Nothing was started; make it writable for this user, or name another one as dataFolder in the environment.`,
      { cause: error },
    )
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its file system is read-only',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'it is a file',
  ENOENT: 'no folder can be made there',
}

/** As `mkdir -p`. Node's own `recursive` never ends where a folder can't be made in an existing one (/proc). */
async function make(folder: string): Promise<void> {
  try {
    await mkdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    const parent = path.dirname(folder)
    if (code !== 'ENOENT' || parent === folder || (await exists(parent))) throw error
    await make(parent)
    await mkdir(folder)
  }
}

async function exists(folder: string): Promise<boolean> {
  return access(folder).then(
    () => true,
    () => false,
  )
}
