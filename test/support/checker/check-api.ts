/**
 * What the API saw and holds against the partners' bytes and the run ledger's calls: one effect per
 * idempotency key, one body per key, each row once, no request without its `call` row.
 */
import { readFileSync } from 'node:fs'
import type { Client } from 'pg'
import { type Arrival, keyedRows, keyOf, textOf } from './arrivals.ts'
import { PARTNER_JOBS } from './partner-jobs.ts'
import type { CheckSpec, Finding, FindingKind, Row } from './spec.ts'

interface ApiFile {
  /** In order, repeated ones too. */
  readonly requests: readonly { readonly key: string; readonly bodyHash: string }[]
  readonly rows: readonly Readonly<Record<string, string | number | boolean | null>>[]
  /** How often each row was written. */
  readonly effects: readonly number[]
}

/** Findings about the API. */
export async function checkApi(
  client: Client,
  spec: CheckSpec,
  arrivals: readonly Arrival[],
): Promise<Finding[]> {
  if (spec.api === null) return []
  const api = JSON.parse(readFileSync(spec.api, 'utf8')) as ApiFile
  const findings: Finding[] = []
  const say = (kind: FindingKind, subject: string, message: string): void =>
    void findings.push({ kind, subject, message })
  const { rows: calls } = await client.query('SELECT key, body_sha256 AS body, state FROM tallyman.call')
  for (const [key, same] of Map.groupBy(api.requests, request => request.key)) {
    const bodies = new Set(same.map(({ bodyHash }) => bodyHash))
    if (bodies.size > 1) say('call-changed', key, `One key came with ${bodies.size} bodies.`)
    const call = calls.find(one => one.key === key)
    if (call === undefined) say('effect-without-call', key, 'The run ledger has no call of this key.')
    else if (!bodies.has(call.body)) say('call-changed', key, 'The run ledger has another body for it.')
  }
  for (const { key, state } of calls) {
    if (state === 'answered' && !api.requests.some(request => request.key === key))
      say('call-invented', key, 'Answered, but the API never saw it.')
  }
  return [...findings, ...rowFindings(api, spec, arrivals)]
}

function rowFindings(api: ApiFile, spec: CheckSpec, arrivals: readonly Arrival[]): Finding[] {
  const job = PARTNER_JOBS.find(one => one.api)!
  const target = job.targets[0]!
  const own = arrivals.filter(
    arrival => arrival.job === job && !spec.notLoaded.includes(`${job.name} ${arrival.date}`),
  )
  const { must, may } = keyedRows(target, own)
  const versions = new Map<string, Set<string>>()
  for (const row of own.flatMap(({ expected }) => expected.rows[target.name] ?? [])) {
    const key = keyOf(target, row)
    versions.set(key, (versions.get(key) ?? new Set()).add(textOf(target, row)))
  }
  const findings: Finding[] = []
  const seen = new Set<string>()
  for (const [index, held] of api.rows.entries()) {
    const row: Row = Object.fromEntries(
      Object.entries(held).map(([name, value]) => [name, value === null ? null : String(value)]),
    )
    const [key, text] = [keyOf(target, row), textOf(target, row)]
    const say = (kind: FindingKind, message: string): void =>
      void findings.push({ kind, subject: `api ${key}`, message })
    if (seen.has(key)) say('row-doubled', 'The API holds it twice.')
    seen.add(key)
    if (must.get(key) !== text && may.get(key)?.has(text) !== true) {
      const wanted = must.get(key)
      if (wanted === undefined) say('row-unexplained', `${text} is in no file.`)
      else say('row-changed', `is ${text} and must be ${wanted}`)
    }
    if (api.effects[index]! > (versions.get(key)?.size ?? 0))
      say(
        'effect-doubled',
        `It was written ${api.effects[index]} times; the files have ${versions.get(key)?.size ?? 0} versions.`,
      )
  }
  for (const [key, text] of must) {
    if (!seen.has(key))
      findings.push({ kind: 'row-missing', subject: `api ${key}`, message: `must be ${text}` })
  }
  return findings
}
