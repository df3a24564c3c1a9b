/**
 * `node test/support/checker/check.ts <spec.json>`: decides by itself whether a night lost, doubled or
 * changed anything. Shares no code with the engine. Prints its findings as a JSON list; exit 0 when
 * there is none, 1 when there are, 2 when it could not look. READ NEXT: arrivals.ts, then check-*.ts.
 */
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { arrivalsOf } from './arrivals.ts'
import { checkApi } from './check-api.ts'
import { checkLedger } from './check-ledger.ts'
import { checkMails } from './check-mails.ts'
import { checkFiles, checkLeftovers } from './check-places.ts'
import { checkTargets } from './check-targets.ts'
import type { CheckSpec, Finding } from './spec.ts'

/** All findings of a night. */
async function findingsOf(spec: CheckSpec): Promise<Finding[]> {
  const arrivals = arrivalsOf(spec.deliveries)
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

try {
  const spec = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as CheckSpec
  const findings = await findingsOf(spec)
  process.stdout.write(`${JSON.stringify(findings, null, 1)}\n`)
  process.exitCode = findings.length === 0 ? 0 : 1
} catch (error) {
  process.stderr.write(
    `The checker could not look: ${error instanceof Error ? error.stack : String(error)}\n`,
  )
  process.exitCode = 2
}
