/**
 * The program as a person or a scheduler calls it: a child process in a project folder of its own.
 * The project borrows this checkout's jobs; what is wrong or different in it is the test's.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after } from 'node:test'
import { ROOT } from './source-facts.ts'

/** The one document of `--json`. */
export interface Document<Data> {
  readonly schemaVersion: number
  readonly ok: boolean
  readonly data: Data
  readonly warnings: readonly string[]
  readonly error: {
    readonly code: string
    readonly message: string
    readonly retry: string
    readonly docs: string
  } | null
}

/** What a command did. */
export interface Called {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A project in a temporary folder, removed after the file's tests. Texts by path; `{ROOT}` stands for this checkout. */
export function projectWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tallyman-cli-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text.replaceAll('{ROOT}', ROOT))
  }
  return folder
}

/** This checkout's jobs and local environment, as a project with a data folder of its own. */
export const BORROWED: Readonly<Record<string, string>> = {
  'jobs.config.ts': "export { default } from '{ROOT}/jobs.config.ts'\n",
  'environments/local.ts': "export { default } from '{ROOT}/environments/local.ts'\n",
}

/** Starts the program; `variables` are added to a bare environment. */
export function start(
  folder: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): { readonly child: ChildProcess; readonly ended: Promise<Called> } {
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'tallyman.ts'), ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<Called>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve({ code, stdout, stderr }))
  })
  return { child, ended }
}

/** Runs a command to its end. */
export function call(
  folder: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<Called> {
  return start(folder, args, variables).ended
}

/** Runs a command with `--json` and reads its one document; anything beside it on stdout is an error. */
export async function callJson<Data>(
  folder: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<Called & { readonly document: Document<Data> }> {
  const called = await call(folder, [...args, '--json'], variables)
  return { ...called, document: JSON.parse(called.stdout) as Document<Data> }
}
