/**
 * CSV files for people that are written line by line, so that their number needs no memory. A file
 * without lines is not there.
 */
import { type FileHandle, open } from 'node:fs/promises'
import path from 'node:path'
import { BYTE_ORDER_MARK } from '../report/attach/spreadsheet.ts'

/** Text is kept until it is worth a write. */
const FLUSH_CHARACTERS = 1 << 20

/** Only who makes a plan reads it: it may hold personal values. */
const PRIVATE = 0o600

/** One file. Call `close`. */
export class SheetFile {
  readonly path: string
  readonly #head: string
  #text = ''
  #handle: FileHandle | null = null
  #lines = 0

  constructor(folder: string, name: string, head: string) {
    this.path = path.join(folder, `${name}.csv`)
    this.#head = head
  }

  /** How many times `add` was called. */
  get entries(): number {
    return this.#lines
  }

  async add(lines: string): Promise<void> {
    this.#lines += 1
    this.#text += lines
    if (this.#text.length >= FLUSH_CHARACTERS) await this.#flush()
  }

  async close(): Promise<void> {
    if (this.#text !== '') await this.#flush()
    await this.#handle?.close()
    this.#handle = null
  }

  async #flush(): Promise<void> {
    if (this.#handle === null) {
      this.#handle = await open(this.path, 'w', PRIVATE)
      await this.#handle.writeFile(BYTE_ORDER_MARK + this.#head)
    }
    const text = this.#text
    this.#text = ''
    await this.#handle.writeFile(text)
  }
}
