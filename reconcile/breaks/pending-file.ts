/**
 * The file with which a comparison tells the break ledger which rows may still arrive: one identity a
 * line, that of the break that each would be. There only when there are any.
 */
import { type FileHandle, open } from 'node:fs/promises'

const FLUSH_CHARACTERS = 1 << 20

/** Where it lies, from the path of the comparison's sightings. */
export function pendingPath(sightings: string): string {
  return `${sightings}.pending`
}

/** Writes the identities of pending rows. */
export class PendingSink {
  readonly #path: string
  #handle: FileHandle | null = null
  #text = ''

  constructor(path: string) {
    this.#path = path
  }

  add(identity: string): void {
    this.#text += `${identity}\n`
  }

  /** Writes out what was gathered once it is enough. */
  async drain(): Promise<void> {
    if (this.#text.length >= FLUSH_CHARACTERS) await this.#flush()
  }

  /** Ends the file. */
  async finish(): Promise<void> {
    if (this.#text !== '') await this.#flush()
    await this.close()
  }

  /** Closes the file as it is. */
  async close(): Promise<void> {
    await this.#handle?.close()
    this.#handle = null
  }

  async #flush(): Promise<void> {
    this.#handle ??= await open(this.#path, 'w')
    const text = this.#text
    this.#text = ''
    await this.#handle.writeFile(text)
  }
}
