/**
 * A private DuckDB in memory: bounded, spilling to a folder, shut off from everything but the named
 * folders and files. The only importer of @duckdb/node-api; its errors are told here, once.
 * SQL is made by reconcile/; names and literals by sql.ts beside this.
 */
import { mkdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import type { DuckDBConnection } from '@duckdb/node-api'
import { ReconcileError } from '../../model/errors.ts'
import { quoteText } from './sql.ts'

/** What a DuckDB may use and touch. */
export interface DuckDbOptions {
  /** Folder of its own for what does not fit into memory; removed at the end. */
  readonly spillFolder: string
  /** Folders that it may read and write. */
  readonly folders: readonly string[]
  /** Single files outside of these that it may read. */
  readonly files?: readonly string[]
  readonly limits?: DuckDbLimits
  readonly signal?: AbortSignal
}

/** Bounds of one DuckDB. */
export interface DuckDbLimits {
  readonly memoryMb?: number
  readonly threads?: number
}

/** A value read back. Queries of reconcile/ select text, integers and booleans only. */
export type Cell = string | number | bigint | boolean | null

/** Memory that a comparison may use where nothing else is said; 10 M x 10 M rows were compared within it. */
export const DEFAULT_MEMORY_MB = 512

/** More threads than this gain nothing for a comparison and each one costs memory. */
const MOST_THREADS = 4

/** An open DuckDB. Statements run one after the other. */
export interface DuckDb {
  /** Runs a statement; its rows are dropped. */
  run(sql: string): Promise<void>
  /** All rows of a small result. */
  rows(sql: string): Promise<Cell[][]>
  /** A result of any size as blocks of columns: `block[column][row]`. */
  stream(sql: string): AsyncIterable<readonly (readonly Cell[])[]>
  /** How many statements this text holds. @throws RECONCILE_ENGINE_FAILED when it can't be read as SQL. */
  statements(sql: string): Promise<number>
  /** Closes it and removes the spill folder. */
  close(): Promise<void>
}

/**
 * Opens a DuckDB that can reach no network, no extension and no file but those named, and whose settings can't be changed any more.
 * On failure of a statement: RECONCILE_OUT_OF_MEMORY, RECONCILE_DISK_FULL or RECONCILE_ENGINE_FAILED; the signal's reason when aborted.
 */
export async function openDuckDb(options: DuckDbOptions): Promise<DuckDb> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  await mkdir(options.spillFolder, { recursive: true })
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${options.limits?.memoryMb ?? DEFAULT_MEMORY_MB}MB`,
    threads: String(options.limits?.threads ?? Math.min(MOST_THREADS, availableParallelism())),
    temp_directory: options.spillFolder,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    // The order of rows never matters here, and keeping it costs memory.
    preserve_insertion_order: 'false',
  })
  const connection = await instance.connect()
  const list = (paths: readonly string[]): string => `[${paths.map(quoteText).join(', ')}]`
  for (const setting of [
    `set allowed_directories = ${list([...options.folders, options.spillFolder])}`,
    `set allowed_paths = ${list(options.files ?? [])}`,
    'set enable_external_access = false',
    'set lock_configuration = true',
  ]) {
    await connection.run(setting)
  }
  return session(connection, options, () => instance.closeSync())
}

function session(connection: DuckDBConnection, options: DuckDbOptions, closeInstance: () => void): DuckDb {
  const { signal } = options
  const interrupt = (): void => connection.interrupt()
  signal?.addEventListener('abort', interrupt, { once: true })
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      throw translate(error)
    }
  }
  return {
    run: sql =>
      attempt(async () => {
        await connection.run(sql)
      }),
    rows: sql => attempt(async () => (await connection.runAndReadAll(sql)).getRows() as Cell[][]),
    stream: async function* (sql) {
      const result = await attempt(() => connection.stream(sql))
      while (true) {
        const chunk = await attempt(() => result.fetchChunk())
        if (chunk === null || chunk.rowCount === 0) return
        yield chunk.getColumns() as Cell[][]
      }
    },
    statements: sql => attempt(async () => (await connection.extractStatements(sql)).count),
    close: async () => {
      signal?.removeEventListener('abort', interrupt)
      connection.closeSync()
      closeInstance()
      await rm(options.spillFolder, { recursive: true, force: true })
    },
  }
}

function translate(error: unknown): ReconcileError {
  const message = error instanceof Error ? error.message : String(error)
  const options = { cause: error, details: { engine: message.slice(0, 2000) } }
  if (/out of memory/i.test(message)) {
    return new ReconcileError(
      'RECONCILE_OUT_OF_MEMORY',
      'The comparison does not fit into the memory it may use, even by spilling to disk. Nothing was decided; give it more memory and reconcile again.',
      options,
    )
  }
  if (/no space left|failed to offload/i.test(message)) {
    return new ReconcileError(
      'RECONCILE_DISK_FULL',
      'The disk is full, so the comparison could not spill or write its result. Nothing was decided; free some space and reconcile again.',
      { ...options, retry: 'backoff' },
    )
  }
  return new ReconcileError(
    'RECONCILE_ENGINE_FAILED',
    `The comparison engine refused a statement: ${message.split('\n')[0]}. Nothing was decided.`,
    options,
  )
}
