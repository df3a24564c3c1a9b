/**
 * The run ledger against the partners' bytes and against itself: no effect without its row, no row
 * without its effect, every run at rest, and the laws of each load counted again.
 */
import type { Client } from 'pg'
import type { Arrival } from './arrivals.ts'
import type { CheckSpec, Finding, FindingKind } from './spec.ts'

interface LoadRow {
  readonly job: string
  readonly date: string
  readonly number: number
  readonly revision: string
  readonly revision_state: string
  readonly load_state: string | null
  readonly result: {
    readonly counts: Readonly<Record<'read' | 'mapped' | 'rejected' | 'filtered', number>>
    readonly tables: readonly (Readonly<Record<string, number>> & { readonly table: string })[]
  } | null
  /** SHA-256 of the files that were loaded. */
  readonly files: readonly string[]
  readonly compared: boolean
  readonly newest: boolean
  /** Rejects kept, `sha256 line`. */
  readonly rejects: readonly string[]
}

const LOADS = `SELECT r.job, r.business_date::text AS date, v.number, v.id::text AS revision, v.state AS revision_state,
    l.state AS load_state, l.result,
    ARRAY(SELECT f.raw_sha256 FROM tallyman.revision_file p JOIN tallyman.file f ON f.id = p.file
      WHERE p.revision = v.id AND p.position IS NOT NULL ORDER BY p.position) AS files,
    EXISTS (SELECT FROM tallyman.comparison c WHERE c.revision = v.id) AS compared,
    v.number = (SELECT max(number) FROM tallyman.revision n WHERE n.run = v.run) AS newest,
    ARRAY(SELECT f.raw_sha256 || ' ' || j.line FROM tallyman.reject j JOIN tallyman.file f ON f.id = j.file
      WHERE j.revision = v.id) AS rejects
  FROM tallyman.revision v JOIN tallyman.run r ON r.id = v.run LEFT JOIN tallyman.load l ON l.revision = v.id
  ORDER BY v.id`

/** Everything that the ledger says wrongly or does not say. */
export async function checkLedger(
  client: Client,
  spec: CheckSpec,
  arrivals: readonly Arrival[],
): Promise<Finding[]> {
  const loads = (await client.query(LOADS)).rows as LoadRow[]
  return [
    ...loads.flatMap(load => loadFindings(load, arrivals)),
    ...(await fileFindings(client, spec, arrivals, loads)),
    ...(await runFindings(client, spec, arrivals)),
    ...(await balanceFindings(client, loads)),
  ]
}

function loadFindings(load: LoadRow, arrivals: readonly Arrival[]): Finding[] {
  const findings: Finding[] = []
  const subject = `${load.job} ${load.date} revision ${load.number}`
  const say = (kind: FindingKind, message: string): void => void findings.push({ kind, subject, message })
  const published = load.revision_state === 'published' || load.revision_state === 'finished'
  if (published && load.load_state !== 'published')
    say(
      'effect-without-load',
      `The revision is ${load.revision_state}, its load ${load.load_state ?? 'has no row'}.`,
    )
  if (!published && load.load_state === 'published')
    say('load-without-effect', `The load is published, the revision ${load.revision_state}.`)
  if (load.load_state === 'open') say('load-left-open', 'The load row was committed unfinished.')
  if (load.revision_state === 'published' && load.newest)
    say('night-unfinished', 'Loaded, but neither compared nor reported.')
  if (load.revision_state === 'finished' && !load.compared)
    say('night-uncompared', 'Finished without a comparison.')
  if (load.revision_state === 'frozen' && load.newest) say('revision-left-frozen', 'Frozen and never loaded.')
  if (load.load_state === 'published' && load.result !== null)
    findings.push(...lawFindings(subject, load, arrivals))
  return findings
}

/** read = mapped + rejected + filtered, counted again from the files; and each table's own law. */
function lawFindings(subject: string, load: LoadRow, arrivals: readonly Arrival[]): Finding[] {
  const findings: Finding[] = []
  const { counts, tables } = load.result!
  const law = (what: string, is: number, must: number): void => {
    if (is === must) return
    findings.push({
      kind: 'law-broken',
      subject,
      message: `${what}: the ledger says ${is}, counted ${must}.`,
    })
  }
  law('read = mapped + rejected + filtered', counts.read, counts.mapped + counts.rejected + counts.filtered)
  for (const table of tables) {
    const { mapped, inserted, updated, unchanged, collapsed, outdated } = table
    law(`mapped rows of ${table.table}`, mapped!, inserted! + updated! + unchanged! + collapsed! + outdated!)
  }
  const files = load.files.map(sha256 => arrivals.find(arrival => arrival.sha256 === sha256))
  if (files.includes(undefined))
    return [...findings, { kind: 'file-unknown', subject, message: 'It loaded a file that no partner sent.' }]
  const told = files.filter(file => file !== undefined)
  law(
    'records read',
    counts.read,
    told.reduce((sum, { expected }) => sum + expected.read, 0),
  )
  law(
    'records filtered',
    counts.filtered,
    told.reduce((sum, { expected }) => sum + expected.filtered, 0),
  )
  const lines = told.flatMap(({ sha256, expected }) => expected.rejected.map(line => `${sha256} ${line}`))
  law('records rejected', counts.rejected, lines.length)
  const [kept, wanted] = [load.rejects.toSorted(), lines.toSorted()]
  if (JSON.stringify(kept) !== JSON.stringify(wanted))
    findings.push({
      kind: 'rejects-differ',
      subject,
      message: `kept ${kept.join()}, must be ${wanted.join()}`,
    })
  return findings
}

/** Every current file is applied by a published load, and nothing else is. */
async function fileFindings(
  client: Client,
  spec: CheckSpec,
  arrivals: readonly Arrival[],
  loads: readonly LoadRow[],
): Promise<Finding[]> {
  const findings: Finding[] = []
  const applied = await client.query(
    `SELECT feed, business_date::text AS date, remote_name AS name, raw_sha256 AS sha256 FROM tallyman.file WHERE state = 'applied'`,
  )
  const name = (file: { date: string; name: string; sha256: string }): string =>
    `${file.date} ${file.name} ${file.sha256.slice(0, 12)}`
  const is = new Set(applied.rows.map(row => `${row.feed} ${name(row)}`))
  for (const { job, fate, ...file } of arrivals) {
    const id = `${job.feed} ${name(file)}`
    const wanted = fate === 'current' && !spec.notLoaded.includes(`${job.name} ${file.date}`)
    if (wanted && !is.delete(id))
      findings.push({ kind: 'file-not-applied', subject: id, message: 'A current file is not applied.' })
    const loaded = loads.some(
      load => load.date === file.date && load.load_state === 'published' && load.files.includes(file.sha256),
    )
    if (wanted && !loaded)
      findings.push({ kind: 'effect-without-load', subject: id, message: 'No published load has this file.' })
  }
  for (const id of is) {
    findings.push({ kind: 'file-wrongly-applied', subject: id, message: 'Applied, but not current.' })
  }
  return findings
}

async function runFindings(
  client: Client,
  spec: CheckSpec,
  arrivals: readonly Arrival[],
): Promise<Finding[]> {
  const { rows } = await client.query(
    `SELECT job || ' ' || business_date AS name, state, owed,
       (SELECT count(*)::int FROM tallyman.attempt a WHERE a.run = r.id AND a.state = 'running') AS running,
       EXISTS (SELECT FROM tallyman.lease l WHERE l.run = r.id) AS leased FROM tallyman.run r`,
  )
  const findings: Finding[] = []
  const wanted = new Set(
    arrivals.filter(({ fate }) => fate === 'current').map(({ job, date }) => `${job.name} ${date}`),
  )
  for (const row of rows) {
    const say = (kind: FindingKind, message: string): void =>
      void findings.push({ kind, subject: row.name as string, message })
    if (row.running > 0 || row.leased) say('run-not-at-rest', 'An attempt is running or holds the lease.')
    if (!wanted.delete(row.name) || spec.notLoaded.includes(row.name)) continue
    if (row.state !== 'succeeded' || row.owed)
      say('run-not-done', `It is ${row.state}${row.owed ? ', owed' : ''}.`)
  }
  for (const name of wanted) {
    if (!spec.notLoaded.includes(name))
      findings.push({
        kind: 'run-missing',
        subject: name,
        message: 'Its file has come, and there is no run.',
      })
  }
  return findings
}

/** Over all published loads, inserted less deleted is what a table holds. */
async function balanceFindings(client: Client, loads: readonly LoadRow[]): Promise<Finding[]> {
  const balance = new Map<string, number>()
  for (const { load_state, result } of loads) {
    if (load_state !== 'published') continue
    for (const { table, inserted, deleted } of result?.tables ?? [])
      balance.set(table, (balance.get(table) ?? 0) + inserted! - deleted!)
  }
  const findings: Finding[] = []
  for (const [table, must] of balance) {
    // The API's rows are no table here.
    if (table.includes('/')) continue
    const { rows } = await client.query(`SELECT count(*)::int AS is FROM ${table}`)
    if (rows[0].is !== must)
      findings.push({
        kind: 'rows-unaccounted',
        subject: table,
        message: `It holds ${rows[0].is} rows; the loads account for ${must}.`,
      })
  }
  return findings
}
