/**
 * A copy of the tree that may be spoilt: edits one file of it at a time, puts it back, and runs single
 * tests there. The packages are linked, everything else is copied.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { occurs, type Post } from './guard.ts'

/** Not needed by any test, or linked. */
const LEFT_OUT = new Set(['node_modules', '.git', '.tallyman'])

/** A test that needs longer than this with its guard gone waits for what the guard would have ended. */
const TEST_LIMIT_MS = 60_000

/** A process that outlives the limit of its test by this hangs in something that is no test. */
const PROCESS_LIMIT_MS = 120_000

/** How one run of a test file ended. */
export interface TestRun {
  /** Titles, in order. */
  readonly passed: readonly string[]
  /** Titles; the path of the file itself when it could not even be loaded. */
  readonly failed: readonly string[]
  /** Everything it said, for a person. */
  readonly output: string
}

/** A copy. */
export class TreeCopy {
  readonly folder: string

  constructor(root: string) {
    this.folder = mkdtempSync(path.join(tmpdir(), 'tallyman-sabotage-'))
    cpSync(root, this.folder, { recursive: true, filter: from => !LEFT_OUT.has(path.relative(root, from)) })
    symlinkSync(path.join(root, 'node_modules'), path.join(this.folder, 'node_modules'), 'dir')
  }

  /**
   * Does `work` while the guards of these places are gone.
   * @throws Error when one does not stand there exactly once
   */
  async without<T>(posts: readonly Post[], work: () => Promise<T>): Promise<T> {
    const sources = new Map<string, string>()
    try {
      for (const { file, guard, gone } of posts) {
        const where = path.join(this.folder, file)
        const source = readFileSync(where, 'utf8')
        if (occurs(source, guard) !== 'once')
          throw new Error(`${file} does not hold exactly once: ${guard}. Nothing was tried with it.`)
        if (!sources.has(where)) sources.set(where, source)
        writeFileSync(
          where,
          source.replace(guard, () => gone),
        )
      }
      return await work()
    } finally {
      for (const [where, source] of sources) writeFileSync(where, source)
    }
  }

  /** Runs the tests of a file whose titles begin with one of these. */
  async test(file: string, titles: readonly string[]): Promise<TestRun> {
    const args = [
      '--test',
      '--test-force-exit',
      `--test-timeout=${TEST_LIMIT_MS}`,
      '--test-reporter=tap',
      ...titles.map(title => `--test-name-pattern=/^${title.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}/`),
      file,
    ]
    const child = spawn(process.execPath, args, {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        output += text
      })
    }
    // Detached, so that what the test started goes with it.
    const limit = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), PROCESS_LIMIT_MS)
    await new Promise(resolve => child.once('close', resolve))
    clearTimeout(limit)
    return { ...titlesOf(output), output }
  }

  /** Removes the copy. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Titles of a TAP report; skipped tests are in neither list. */
export function titlesOf(tap: string): Pick<TestRun, 'passed' | 'failed'> {
  const passed: string[] = []
  const failed: string[] = []
  for (const [, not, name] of tap.matchAll(/^ *(not )?ok \d+ - (.*)$/gm)) {
    const [title, directive] = name!.split(/(?<!\\) # /)
    if (directive !== undefined) continue
    ;(not === undefined ? passed : failed).push(title!.replace(/\\([\\#])/g, '$1'))
  }
  return { passed, failed }
}
