/**
 * What every parser gets and how large the blocks are that it gives. Blocks travel so that no
 * promise is made per record.
 */

/** Most records of a block. */
export const BLOCK_RECORDS = 1000

/** Characters after which a block is full. */
export const BLOCK_CHARACTERS = 262_144

/** One file to be parsed. */
export interface ParseTask {
  readonly chunks: AsyncIterable<Buffer>
  /** Position of the file in the frozen revision, from 0. */
  readonly file: number
  /** The file's name, for errors. */
  readonly subject: string
  /** Source columns that the mapping needs of a kind of record. */
  readonly needed: (kind: string) => readonly string[]
}
