/**
 * What the embedded API keeps: every accepted request as a line of a journal, read again at the next
 * start, so that a key sent twice is one effect also across commands.
 */
import { existsSync } from 'node:fs'
import { appendFile, mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { type ApiItem, type ApiStore, MemoryStore } from '../../test/support/api-peer.ts'

interface Entry {
  readonly key: string
  readonly bodyHash: string
  readonly items: readonly ApiItem[]
}

/** A store over this journal file; `keyFields` tell its rows apart. */
export async function openJournalStore(file: string, keyFields: readonly string[]): Promise<ApiStore> {
  const rows = new MemoryStore(keyFields)
  const known = new Set<string>()
  await mkdir(path.dirname(file), { recursive: true })
  const lines = existsSync(file) ? (await readFile(file, 'utf8')).split('\n').filter(line => line !== '') : []
  for (const line of lines) {
    const { key, bodyHash, items } = JSON.parse(line) as Entry
    known.add(key)
    await rows.apply(key, bodyHash, items, () => null)
  }
  return {
    apply: async (key, bodyHash, items, judge) => {
      const results = await rows.apply(key, bodyHash, items, judge)
      if (!known.has(key) && results !== 'conflict') {
        known.add(key)
        await appendFile(file, `${JSON.stringify({ key, bodyHash, items } satisfies Entry)}\n`)
      }
      return results
    },
  }
}
