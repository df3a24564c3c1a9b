/**
 * What lies where: remote files as T3 wants them, archived bytes as they were sent, and nothing left
 * over: half-written files, staging tables, open transactions, undecided calls.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import type { Client } from 'pg'
import type { Arrival } from './arrivals.ts'
import type { CheckSpec, Finding, FindingKind } from './spec.ts'

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}

interface FileRow {
  readonly feed: string
  readonly name: string
  readonly sha256: string
  readonly archive: string
  readonly remote: string
}

/** Findings about remote folders and the archive. */
export async function checkFiles(
  client: Client,
  spec: CheckSpec,
  arrivals: readonly Arrival[],
): Promise<Finding[]> {
  const { rows } = await client.query(
    `SELECT feed, remote_name AS name, raw_sha256 AS sha256, archive, remote_state AS remote FROM tallyman.file
     WHERE state IN ('applied', 'superseded')`,
  )
  const findings: Finding[] = []
  for (const row of rows as FileRow[]) {
    const path = join(spec.dataFolder, 'archive', row.archive)
    if (!existsSync(path) || sha256(path) !== row.sha256)
      findings.push({
        kind: 'archive-wrong',
        subject: row.name,
        message: `${row.archive} is not what was received.`,
      })
    const arrival = arrivals.find(one => one.job.feed === row.feed && one.sha256 === row.sha256)
    if (arrival === undefined)
      findings.push({ kind: 'file-unknown', subject: row.name, message: 'No partner sent these bytes.' })
    else findings.push(...remoteFindings(spec, row, arrival, rows as FileRow[], arrivals))
  }
  return findings
}

/** Where the remote file of a load lies, against where T3 wants it. */
function remoteFindings(
  spec: CheckSpec,
  row: FileRow,
  { job }: Arrival,
  rows: readonly FileRow[],
  arrivals: readonly Arrival[],
): Finding[] {
  const root = spec.remote[job.endpoint]!
  const after = spec.after[job.name] ?? 'leave'
  const last = arrivals.findLast(one => one.job === job && one.name === row.name)!
  const there = existsSync(join(root, row.name)) ? sha256(join(root, row.name)) : null
  const wrong = (message: string): Finding[] => [{ kind: 'remote-wrong', subject: row.name, message }]
  if (after === 'leave') {
    return there === last.sha256 ? [] : wrong('It was to be left, and the last delivery is not there.')
  }
  if (row.remote !== 'done') return wrong(`T3 of it is ${row.remote}.`)
  const still =
    there === row.sha256 && !arrivals.some(one => one.order > last.order && one.sha256 === row.sha256)
  if (still) return wrong('It was loaded and still lies there.')
  const aside = `${row.name}.${row.sha256.slice(0, 16)}`
  const lying = filesBelow(root).filter(path => basename(path).startsWith(aside))
  if (after === 'delete')
    return lying.length === 0 ? [] : wrong(`Not deleted: ${lying.map(path => basename(path)).join(', ')}.`)
  const same = rows.filter(one => one.name === row.name && one.sha256 === row.sha256).length
  const right = lying.every(
    path => relative(root, path).startsWith(after.move) && sha256(path) === row.sha256,
  )
  if (lying.length === same && right) return []
  return wrong(`It must lie ${same} times in ${after.move}; found ${lying.length}: ${lying.join(', ')}.`)
}

/** Everything that a run takes away before it ends. */
export async function checkLeftovers(client: Client, spec: CheckSpec): Promise<Finding[]> {
  const found = async (kind: FindingKind, sql: string, message: string): Promise<Finding[]> =>
    (await client.query(sql)).rows.map(({ subject }) => ({ kind, subject, message }))
  const parts = filesBelow(spec.dataFolder).filter(path => path.endsWith('.part'))
  const bodies = filesBelow(join(spec.dataFolder, 'bodies'))
  return [
    ...parts.map(
      (path): Finding => ({
        kind: 'part-left',
        subject: relative(spec.dataFolder, path),
        message: 'Half written.',
      }),
    ),
    ...bodies.map(
      (path): Finding => ({
        kind: 'body-left',
        subject: basename(path),
        message: 'The body of a call that is over.',
      }),
    ),
    ...(await found(
      'staging-left',
      `SELECT n.nspname || '.' || c.relname AS subject FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind = 'r' AND (c.relname LIKE 'staging%' OR c.relpersistence <> 'p') AND n.nspname NOT LIKE 'pg_toast%'`,
      'A table of a load that is over.',
    )),
    ...(await found(
      'transaction-open',
      `SELECT pid || ' ' || coalesce(application_name, '') || ': ' || left(query, 80) AS subject FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
         AND xact_start IS NOT NULL
       UNION ALL SELECT gid FROM pg_prepared_xacts WHERE database = current_database()`,
      'Begun and never ended.',
    )),
    ...(await found(
      'lock-held',
      `SELECT l.pid || ' ' || l.objid AS subject FROM pg_locks l JOIN pg_database d ON d.oid = l.database
       WHERE l.locktype = 'advisory' AND d.datname = current_database()`,
      'An advisory lock outlived its load.',
    )),
    ...(await found(
      'call-undecided',
      `SELECT c.endpoint || ' ' || c.key AS subject FROM tallyman.call c JOIN tallyman.load l ON l.revision = c.revision
       WHERE l.state = 'published' AND c.state IN ('sent', 'unknown')`,
      'The load is published, and what became of this call is not known.',
    )),
  ]
}
