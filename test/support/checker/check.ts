/**
 * The independent checker: decides by itself whether a night lost, doubled or changed anything. Shares
 * no code with the engine. `node test/support/checker/check.ts <spec.json>` prints its findings as a
 * JSON list; exit 0 when there is none, 1 when there are, 2 when it could not look. Without an argument
 * it stays, takes a path per line and answers each with a line of JSON: `{ "findings": [..] }` or
 * `{ "failed": ".." }`. READ NEXT: arrivals.ts, then check-*.ts.
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { arrivalsOf } from './arrivals.ts'
import { checkApi } from './check-api.ts'
import { checkLedger } from './check-ledger.ts'
import { checkMails } from './check-mails.ts'
import { checkFiles, checkLeftovers } from './check-places.ts'
import { checkTargets } from './check-targets.ts'
import type { CheckSpec, Finding } from './spec.ts'

/** All findings of a night. */
async function findingsOf(path: string): Promise<Finding[]> {
  const spec = JSON.parse(readFileSync(path, 'utf8')) as CheckSpec
  const arrivals = arrivalsOf(spec.deliveries, spec.refused)
  const client = new pg.Client({ connectionString: spec.database, application_name: 'checker' })
  await client.connect()
  try {
    return [
      ...(await checkTargets(client, spec, arrivals)),
      ...(await checkLedger(client, spec, arrivals)),
      ...(await checkApi(client, spec, arrivals)),
      ...(await checkMails(client, spec)),
      ...(await checkFiles(client, spec, arrivals)),
      ...(await checkLeftovers(client, spec)),
    ]
  } finally {
    await client.end()
  }
}

function told(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

async function checkOnce(path: string): Promise<number> {
  try {
    const findings = await findingsOf(path)
    process.stdout.write(`${JSON.stringify(findings, null, 1)}\n`)
    return findings.length === 0 ? 0 : 1
  } catch (error) {
    process.stderr.write(`The checker could not look: ${told(error)}\n`)
    return 2
  }
}

async function answerLines(): Promise<number> {
  for await (const path of createInterface({ input: process.stdin })) {
    const answer = await findingsOf(path).then(
      findings => ({ findings }),
      (error: unknown) => ({ failed: told(error) }),
    )
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
  return 0
}

const [, , path] = process.argv
process.exitCode = await (path === undefined ? answerLines() : checkOnce(path))
