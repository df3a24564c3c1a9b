/**
 * Values while their element is open: a frame per record, and one per ancestor that records read
 * from. A frame knows who has already read a value, so that one that comes too late is an error and
 * never a silent null.
 */
import type { SourceValue } from '../model/record.ts'
import type { Capture, PathNode } from './xml-paths.ts'

/** The values kept by one open element. */
export class Frame {
  readonly line: number
  /** Position of the element's `<` in the document, in characters. */
  readonly start: number
  /** The first RAW_LIMIT characters of an element that is longer, once that is known. */
  cutRaw: string | null = null
  /** Characters kept. */
  size = 0
  readonly #values: (string | null | string[])[] = []
  readonly #counts: number[] = []
  /** Lines of the first records that read the values, 0 for none; null while no other element has read any. */
  #readBy: number[] | null = null

  constructor(node: PathNode, line: number, start: number) {
    this.line = line
    this.start = start
    for (let slot = 0; slot < node.slots.length; slot += 1) {
      this.#values.push(null)
      this.#counts.push(0)
    }
  }

  /** Keeps a value; gives the line of a record that has already read another one, 0 when all is well. */
  put({ slot, list }: Capture, value: string): number {
    const count = this.#counts[slot]!
    const readBy = this.#readBy === null ? 0 : this.#readBy[slot]!
    if (readBy > 0 && (count > 0 || value !== '' || list)) return readBy
    this.#counts[slot] = count + 1
    this.size += value.length
    if (list) {
      const values = this.#values[slot]
      if (Array.isArray(values)) values.push(value)
      else this.#values[slot] = [value]
    } else if (count === 0) {
      this.#values[slot] = value === '' ? null : value
    }
    return 0
  }

  /** The value of a slot. */
  value(capture: Capture): SourceValue {
    return this.#values[capture.slot]!
  }

  /** Notes that the record on `line` has read a slot of this frame of an ancestor. */
  noteReader(capture: Capture, line: number): void {
    this.#readBy ??= this.#counts.map(() => 0)
    if (this.#readBy[capture.slot] === 0) this.#readBy[capture.slot] = line
  }

  /** Whether a path that was declared to stand once stood more often. */
  isRepeated(capture: Capture): boolean {
    return !capture.list && this.#counts[capture.slot]! > 1
  }

  count(capture: Capture): number {
    return this.#counts[capture.slot]!
  }
}
