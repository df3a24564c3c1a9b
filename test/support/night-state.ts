/**
 * Pictures of all that a night wrote: every table of the database, every file of the data folder;
 * and the search for secrets in all of it.
 */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { SmtpPeer } from './smtp-peer.ts'

/** What is looked at of a night. */
export interface Traces {
  readonly environment: { readonly dataFolder: string }
  readonly variables: Readonly<Record<string, string>>
  readonly smtp: Pick<SmtpPeer, 'received'>
  /** Texts of processes. */
  readonly said: readonly string[]
  rows<R extends object>(sql: string, params?: readonly unknown[]): Promise<R[]>
}

/** Schemas that belong to nobody's data. */
const SYSTEM = `('pg_catalog', 'information_schema', 'pg_toast')`

/** Every row of every table, as text, by `schema.table`: equal pictures mean that nothing was written. */
export async function tablesOf(night: Traces): Promise<Record<string, string[]>> {
  const tables = await night.rows<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ${SYSTEM} ORDER BY 1`,
  )
  const picture: Record<string, string[]> = {}
  for (const { name } of tables) {
    const rows = await night.rows<{ row: string }>(`SELECT t::text AS row FROM ${name} t ORDER BY 1`)
    picture[name] = rows.map(({ row }) => row)
  }
  return picture
}

/** Names of all files below a folder of the data folder, with their sizes. */
export async function filesOf(night: Traces, ...folders: readonly string[]): Promise<string[]> {
  const root = night.environment.dataFolder
  const found: string[] = []
  for (const folder of folders) {
    const entries = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true })
    for (const entry of entries.filter(one => one.isFile())) {
      found.push(path.relative(root, path.join(entry.parentPath, entry.name)))
    }
  }
  return found.sort()
}

/** Places where a secret of the night was written down. Empty is how it must be. */
export async function leaksOf(night: Traces): Promise<string[]> {
  const password = new URL(night.variables.DATABASE_URL!).password
  const secrets = [
    ...Object.entries(night.variables).filter(([name]) => name !== 'DATABASE_URL'),
    ['DATABASE_URL', password] as const,
  ]
  const leaks: string[] = []
  const search = (place: string, text: string): void => {
    for (const [name, value] of secrets) if (text.includes(value)) leaks.push(`${name} in ${place}`)
  }
  for (const [table, rows] of Object.entries(await tablesOf(night))) search(table, rows.join('\n'))
  const root = night.environment.dataFolder
  for (const file of await filesOf(night, '.')) search(file, await readFile(path.join(root, file), 'latin1'))
  for (const { raw, mail } of night.smtp.received) {
    search('a mail', raw)
    search('a mail', `${mail.text ?? ''}${typeof mail.html === 'string' ? mail.html : ''}`)
    for (const attachment of mail.attachments) search('an attachment', attachment.content.toString('latin1'))
  }
  for (const text of night.said) search('what a process said', text)
  return leaks
}
