/**
 * Lines of CSV as an attachment, made block by block: small ones stay text, larger ones are compressed while they
 * come, so that a night with a million refused records is never a text in memory. What stands in a line is not decided here.
 */
import { once } from 'node:events'
import { createGzip, type Gzip } from 'node:zlib'
import type { Attachment } from './attachment.ts'
import { BYTE_ORDER_MARK } from './spreadsheet.ts'

/** Text larger than this is compressed: people open CSV directly, but not 50 MB of it in a mailbox. */
const PLAIN_LIMIT = 2_000_000

/** Text is cut here. 64 MB of breaks compress to about 6 MB; mail servers commonly refuse from 10 to 25 MB on. */
const TEXT_LIMIT = 64_000_000

/** Lines per block of text, so that few strings are long. */
const BLOCK = 2_000

/** An attachment, and how many of the items are in it. */
export interface SheetFile {
  readonly attachment: Attachment
  readonly written: number
}

/**
 * Items as `<name>.csv` or `<name>.csv.gz`, until TEXT_LIMIT bytes are reached.
 * Cost: 2 MB of text and what is compressed of the rest, some 6 MB at most.
 */
export async function sheetFile<Item>(
  name: string,
  header: string,
  items: Iterable<Item> | AsyncIterable<Item>,
  textOf: (block: readonly Item[]) => string,
): Promise<SheetFile> {
  const file = new GrowingFile()
  await file.add(BYTE_ORDER_MARK + header)
  let written = 0
  let block: Item[] = []
  const flush = async () => {
    await file.add(textOf(block))
    written += block.length
    block = []
  }
  for await (const item of items) {
    block.push(item)
    if (block.length === BLOCK) await flush()
    if (file.size > TEXT_LIMIT) break
  }
  await flush()
  return { attachment: await file.finish(name), written }
}

/** Text until it is large, compressed from then on. */
class GrowingFile {
  size = 0
  #plain: Buffer[] = []
  readonly #compressed: Buffer[] = []
  #gzip: Gzip | null = null

  async add(text: string): Promise<void> {
    const bytes = Buffer.from(text)
    this.size += bytes.length
    if (this.#gzip !== null) return this.#compress(bytes)
    this.#plain.push(bytes)
    if (this.size <= PLAIN_LIMIT) return
    this.#gzip = createGzip().on('data', (chunk: Buffer) => this.#compressed.push(chunk))
    const held = this.#plain
    this.#plain = []
    for (const part of held) await this.#compress(part)
  }

  async finish(name: string): Promise<Attachment> {
    if (this.#gzip === null) {
      const content = Buffer.concat(this.#plain)
      return { name: `${name}.csv`, contentType: 'text/csv; charset=utf-8', content }
    }
    const end = once(this.#gzip, 'end')
    this.#gzip.end()
    await end
    const content = Buffer.concat(this.#compressed)
    return { name: `${name}.csv.gz`, contentType: 'application/gzip', content }
  }

  async #compress(bytes: Buffer): Promise<void> {
    if (!this.#gzip!.write(bytes)) await once(this.#gzip!, 'drain')
  }
}
