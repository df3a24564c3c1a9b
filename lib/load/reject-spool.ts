/**
 * Rejects on their way to the run ledger, spooled to a work file: a load into an API keeps them in its
 * last transaction, which begins when all rows were sent. A crash loses the file, and the next attempt
 * makes the same rejects again.
 */
import { createReadStream } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import type { Reject } from '../model/issue.ts'

/** Rejects of one load. */
export class RejectSpool {
  readonly #path: string
  readonly #file: FileHandle
  #count = 0

  private constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  /** An empty one, over whatever was left at that path. */
  static async create(path: string): Promise<RejectSpool> {
    return new RejectSpool(path, await open(path, 'w', 0o600))
  }

  /** Rejects kept so far. */
  get count(): number {
    return this.#count
  }

  /** Keeps some more. */
  async add(rejects: readonly Reject[]): Promise<void> {
    if (rejects.length === 0) return
    await this.#file.appendFile(`${rejects.map(reject => JSON.stringify(reject)).join('\n')}\n`)
    this.#count += rejects.length
  }

  /** All of them in order, in batches of what one read gives. */
  async *batches(): AsyncGenerator<readonly Reject[]> {
    let rest = ''
    for await (const piece of createReadStream(this.#path, {
      encoding: 'utf8',
      highWaterMark: 1024 * 1024,
    })) {
      const lines = (rest + (piece as string)).split('\n')
      rest = lines.pop()!
      yield lines.map(line => JSON.parse(line) as Reject)
    }
  }

  /** Closes and removes the work file. */
  async remove(): Promise<void> {
    await this.#file.close()
    await rm(this.#path, { force: true })
  }
}
