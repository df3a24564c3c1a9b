/**
 * Each record of the current files once in its target, with the right values, and nothing else there.
 * The rows are worked out from the partners' bytes (arrivals.ts); here they are held against the tables.
 */
import type { Client } from 'pg'
import { type Arrival, keyedRows, keyOf, textOf } from './arrivals.ts'
import { type Kind, PARTNER_JOBS, type Target } from './partner-jobs.ts'
import type { CheckSpec, Finding, FindingKind, Row } from './spec.ts'

/** At most so many findings of one sort: a wrong column would drown the rest. */
const SHOWN = 10

const READ: Readonly<Record<Kind, (column: string) => string>> = {
  text: column => `${column}::text`,
  number: column => `trim_scale(${column}::numeric)::text`,
  date: column => `to_char(${column}, 'YYYY-MM-DD')`,
  instant: column =>
    `regexp_replace(to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '\\.000000$', '')`,
}

/** All rows of a target; none when it does not exist. */
async function rowsOf(client: Client, target: Target): Promise<Row[]> {
  const known = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [target.name])
  if (known.rows[0].there !== true) return []
  const columns = Object.entries(target.columns).map(([name, kind]) => `${READ[kind](name)} AS ${name}`)
  return (await client.query(`SELECT ${columns.join(', ')} FROM ${target.name}`)).rows as Row[]
}

/** Findings about every target of the database. */
export async function checkTargets(
  client: Client,
  spec: CheckSpec,
  arrivals: readonly Arrival[],
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const job of PARTNER_JOBS.filter(({ api }) => !api)) {
    const own = arrivals.filter(
      arrival => arrival.job === job && !spec.notLoaded.includes(`${job.name} ${arrival.date}`),
    )
    for (const target of job.targets) {
      const there = await rowsOf(client, target)
      findings.push(
        ...(target.key.length === 0 ? bagFindings(target, own, there) : keyFindings(target, own, there)),
      )
    }
  }
  return findings
}

/** How often each text stands among some. */
function counted(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return counts
}

function bagFindings(target: Target, arrivals: readonly Arrival[], there: readonly Row[]): Finding[] {
  const current = arrivals.filter(({ fate }) => fate === 'current')
  const wanted = counted(
    current.flatMap(({ expected }) => (expected.rows[target.name] ?? []).map(row => textOf(target, row))),
  )
  const found = counted(there.map(row => textOf(target, row)))
  const findings: Finding[] = []
  for (const text of new Set([...wanted.keys(), ...found.keys()])) {
    const [must, is] = [wanted.get(text) ?? 0, found.get(text) ?? 0]
    if (must === is) continue
    const kind = is < must ? 'row-missing' : must === 0 ? 'row-unexplained' : 'row-doubled'
    findings.push({
      kind,
      subject: target.name,
      message: `${text} is there ${is} times; the files have it ${must} times.`,
    })
  }
  return findings.slice(0, SHOWN)
}

function keyFindings(target: Target, arrivals: readonly Arrival[], there: readonly Row[]): Finding[] {
  const { must, may } = keyedRows(target, arrivals)
  const found = Map.groupBy(there, row => keyOf(target, row))
  const findings: Finding[] = []
  const say = (kind: FindingKind, key: string, message: string): void => {
    findings.push({ kind, subject: `${target.name} ${key}`, message })
  }
  for (const [key, text] of must) {
    const rows = (found.get(key) ?? []).map(row => textOf(target, row))
    if (rows.length === 0) say('row-missing', key, `must be ${text}`)
    else if (rows.length > 1) say('row-doubled', key, `is there ${rows.length} times`)
    else if (rows[0] !== text && may.get(key)?.has(rows[0]!) !== true)
      say('row-changed', key, `is ${rows[0]} and must be ${text}`)
  }
  for (const [key, rows] of found) {
    if (must.has(key)) continue
    const allowed = may.get(key)
    for (const row of rows) {
      if (allowed?.has(textOf(target, row)) !== true)
        say('row-unexplained', key, `${textOf(target, row)} is in no file`)
    }
  }
  return findings.slice(0, SHOWN)
}
