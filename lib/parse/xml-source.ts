/**
 * The source text of open XML records, kept so that a record can show itself as received: a sliding
 * window that begins at the oldest open record and never holds more than RAW_LIMIT of it.
 */
import { codeAt } from '../model/code-at.ts'
import { RAW_LIMIT } from '../model/issue.ts'
import type { Frame } from './xml-frames.ts'

const LF = 10
const CR = 13

/** A sliding window over a document's text. */
export class XmlSource {
  #text = ''
  /** Position of the window's first character in the document. */
  #base = 0

  /** Adds text and drops what no open frame needs. `lastTag` is the position behind the last whole tag. */
  add(text: string, open: readonly Frame[], lastTag: number): void {
    const end = this.#base + this.#text.length
    let needed = end
    for (const frame of open) {
      if (frame.cutRaw === null && end - frame.start > RAW_LIMIT) {
        frame.cutRaw = this.slice(frame.start, frame.start + RAW_LIMIT + 1)
      }
      if (frame.cutRaw === null) needed = Math.min(needed, frame.start)
    }
    // A tag that is cut by the border of two texts must stay whole.
    const tag = this.#text.lastIndexOf('<')
    if (tag !== -1 && this.#base + tag >= lastTag) needed = Math.min(needed, this.#base + tag)
    this.#text = this.#text.slice(needed - this.#base) + text
    this.#base = needed
  }

  /** The text between two positions of the document. */
  slice(from: number, to: number): string {
    return this.#text.slice(from - this.#base, to - this.#base)
  }

  /** Where the start tag begins behind whose `>` the reader stands. No attribute can hold a `<`. */
  tagStart(reader: { readonly position: number; readonly line: number }): { start: number; line: number } {
    const end = reader.position - this.#base
    const from = this.#text.lastIndexOf('<', end - 1)
    let breaks = 0
    for (let at = from; at < end; at += 1) {
      const code = codeAt(this.#text, at)
      if (code === LF || (code === CR && codeAt(this.#text, at + 1) !== LF)) breaks += 1
    }
    return { start: this.#base + from, line: reader.line - breaks }
  }
}
