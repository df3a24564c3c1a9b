/**
 * Whether stored snapshots are what they were when they were written: the manifest by the mark in its name, the rows
 * by their digest, the file by its hash. Repairs nothing; what to do is said by whoever asks.
 */
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { type DuckDb, openDuckDb } from '../../lib/format/duckdb/session.ts'
import { MACROS } from '../compare/normalise.ts'
import { hasDigest } from './digest.ts'
import type { SnapshotManifest } from './manifest.ts'
import { knownHashes, markOf, sha256Of } from './store.ts'

/** What was found of one snapshot. */
export interface SnapshotCheck {
  readonly state: 'whole' | 'damaged' | 'missing'
  /** What is wrong, as a sentence's end after `the snapshot: `; empty for a whole one. */
  readonly what: string
}

/** Checks snapshots of one folder. Rows that several snapshots share are read once. */
export class SnapshotChecker {
  readonly #db: DuckDb
  readonly #rows = new Map<string, Promise<SnapshotCheck>>()

  private constructor(db: DuckDb) {
    this.#db = db
  }

  /** Opens a checker of a folder; close it. */
  static async open(folder: string, spillFolder: string, signal: AbortSignal): Promise<SnapshotChecker> {
    const db = await openDuckDb({ spillFolder, folders: [folder], signal })
    for (const macro of MACROS) await db.run(macro)
    return new SnapshotChecker(db)
  }

  /** Checks the snapshot of a manifest. Cost: its rows are read once, some 2 M of 12 columns a second. */
  async check(manifestPath: string): Promise<SnapshotCheck> {
    const text = await readFile(manifestPath, 'utf8').catch(() => null)
    if (text === null) return { state: 'missing', what: 'its manifest is not there' }
    if (!path.basename(manifestPath).endsWith(`.${markOf(text)}.json`))
      return { state: 'damaged', what: 'its manifest was changed after it was written' }
    const manifest = JSON.parse(text) as SnapshotManifest
    const { address } = manifest
    const found = this.#rows.get(address) ?? this.#checkRows(path.dirname(manifestPath), manifest)
    this.#rows.set(address, found)
    return found
  }

  async #checkRows(folder: string, manifest: SnapshotManifest): Promise<SnapshotCheck> {
    const { address, columns } = manifest
    const parquet = path.join(folder, `${address}.parquet`)
    const there = await stat(parquet).then(
      () => true,
      () => false,
    )
    if (!there) return { state: 'missing', what: 'the file with its rows is not there' }
    if (!(await hasDigest(this.#db, parquet, columns, address)))
      return { state: 'damaged', what: 'its rows can not be read, or are not those that it was made of' }
    // Where a flipped bit changes no row it may still change what the file says of its rows.
    const known = await knownHashes(folder, address)
    if (!known.has(await sha256Of(parquet)))
      return { state: 'damaged', what: 'its rows are right, but their file is not as it was written' }
    return { state: 'whole', what: '' }
  }

  close(): Promise<void> {
    return this.#db.close()
  }
}
