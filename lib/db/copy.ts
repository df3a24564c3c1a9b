/**
 * COPY in and out over pg-copy-streams, with backpressure and with the question answered whose
 * error it was: the source's or the database's. The session around it is connection.ts.
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from, to } from 'pg-copy-streams'

/** How a COPY FROM STDIN ended. */
export type CopyOutcome =
  | { readonly kind: 'stored'; readonly rows: number }
  | { readonly kind: 'failed'; readonly from: 'source' | 'database'; readonly error: unknown }

/** Most bytes that wait in front of the server: COPY takes 63 MB/s, so this is 4 ms of it. */
const IN_FLIGHT_BYTES = 256 * 1024

/** Sends `source` to a COPY and waits for the server's count of rows. `onSource` hears when the source is waited for, and when no more. Never throws. */
export async function copyFrom(
  client: pg.Client,
  sql: string,
  source: AsyncIterable<Buffer | string>,
  signal: AbortSignal | null,
  onSource: (waiting: boolean) => void,
): Promise<CopyOutcome> {
  let sourceFailed = false
  // not `yield* source`: a broken pipeline throws the database's error into the generator, which is not the source's
  async function* watched(): AsyncIterable<Buffer | string> {
    const iterator = source[Symbol.asyncIterator]()
    try {
      for (;;) {
        onSource(true)
        const next = await iterator.next().catch((error: unknown) => {
          sourceFailed = true
          throw error
        })
        onSource(false)
        if (next.done === true) return
        yield next.value
      }
    } finally {
      onSource(false)
      await iterator.return?.()
    }
  }
  try {
    const stream = client.query(from(sql, { highWaterMark: IN_FLIGHT_BYTES }))
    await pipeline(Readable.from(watched(), { objectMode: true }), stream, signal === null ? {} : { signal })
    return { kind: 'stored', rows: stream.rowCount }
  } catch (error) {
    return { kind: 'failed', from: sourceFailed ? 'source' : 'database', error }
  }
}

/** Gives the data of a COPY TO STDOUT. @throws pg's own errors. */
export async function* copyTo(
  client: pg.Client,
  sql: string,
  signal: AbortSignal | null,
): AsyncIterable<Buffer> {
  const stream = client.query(to(sql))
  const stop = (): void => {
    stream.destroy(signal?.reason)
  }
  signal?.addEventListener('abort', stop, { once: true })
  try {
    for await (const piece of stream) yield piece as Buffer
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
