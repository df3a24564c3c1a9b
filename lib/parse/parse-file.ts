/**
 * parse: a local file in, a stream of records out. READ THIS FIRST of lib/parse. Delimited text goes
 * through csv-stream.ts, XML through xml-stream.ts; both begin with source-text.ts.
 */
import { basename } from 'node:path'
import { BugError } from '../model/errors.ts'
import type { ParseSpec } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { ParsedFile, ParsedStream, RecordBlock } from '../model/record.ts'
import type { ParseTask } from './block.ts'
import { CsvStream } from './csv-stream.ts'
import { fileChunks } from './source-text.ts'
import { XmlStream } from './xml-stream.ts'

/** Which file of a revision this is, and what will be asked of it. */
export interface ParseOptions {
  /** Position of the file in the frozen revision, from 0. */
  readonly file: number
  /** Source columns needed, by record kind: a mapping's `sources`. The kind of a delimited file is `record`. */
  readonly neededColumns: Readonly<Record<string, readonly string[]>>
  /** The file's name for people; default: the path's last part. */
  readonly name?: string
}

/**
 * The records of a local file. Nothing is read before `blocks` is iterated, which may be done once.
 * Guarantee: every record is either given or rejected, or iterating throws.
 * On failure: iterating throws a ParseError that names file and line; nothing of the file can be trusted.
 * Cost: memory does not grow with the file.
 * @throws CONFIG_PARSE_INVALID for XML paths that can't be meant.
 */
export function parseFile(
  path: string,
  spec: ParseSpec,
  options: ParseOptions,
  context: StepContext,
): ParsedStream {
  const subject = options.name ?? basename(path)
  return parseChunks(fileChunks(path, subject, context), spec, { ...options, name: subject })
}

/** As {@link parseFile}, from bytes in any chunks; a chunk may be overwritten once the next one was asked for. */
export function parseChunks(
  chunks: AsyncIterable<Buffer>,
  spec: ParseSpec,
  options: ParseOptions & { readonly name: string },
): ParsedStream {
  const task: ParseTask = {
    chunks,
    file: options.file,
    subject: options.name,
    needed: kind => (Object.hasOwn(options.neededColumns, kind) ? options.neededColumns[kind]! : []),
  }
  const stream = spec.format === 'csv' ? new CsvStream(spec, task) : new XmlStream(spec, task)
  let summary: ParsedFile | null = null
  async function* blocks(): AsyncGenerator<RecordBlock> {
    yield* stream.blocks()
    const { read, rejected, charset, controls, warnings } = stream
    summary = { file: options.file, read, rejected, charset, controls, warnings }
  }
  return {
    blocks: blocks(),
    shapes: () => {
      if (stream instanceof XmlStream) return stream.shapes
      if (stream.columns === null)
        throw new BugError(
          'BUG_PARSE_ORDER',
          'The columns of a file were asked for before its header was read.',
        )
      return new Map([['record', stream.columns]])
    },
    summary: () => {
      if (summary === null)
        throw new BugError(
          'BUG_PARSE_ORDER',
          'The summary of a file was asked for before all its records were read.',
        )
      return summary
    },
  }
}
