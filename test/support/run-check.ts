/**
 * Lets the independent checker (checker/check.ts, a process of its own) judge a night of a test. Keeps
 * an untouched copy of every delivery, and writes down what mail server and API saw.
 *
 *     const watched = await watchNight(night)
 *     await watched.deliver('portal', 'orders_20261119.csv', orders('2026-11-19', someLines(3)))
 *     await night.run('portal-orders', '2026-11-19')
 *     assert.deepEqual(await watched.findings(), [])
 */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { CheckSpec, Delivery, Finding } from './checker/spec.ts'
import type { Night } from './night.ts'
import type { ReceivedMail } from './smtp-peer.ts'

const CHECKER = path.join(import.meta.dirname, 'checker', 'check.ts')

/** What a test may say otherwise than the night itself. */
export type SpecChanges = Partial<Pick<CheckSpec, 'lostMailAnswers' | 'notLoaded' | 'after' | 'database'>> & {
  /** Mails that were accepted; those of the night's own mail server by default. */
  readonly mails?: readonly ReceivedMail[]
}

/** A night that is watched. */
export interface WatchedNight {
  /** Delivers as night.deliver does, and keeps a copy. */
  deliver(endpoint: string, name: string, content: string | Buffer): Promise<void>
  /** What the checker finds now; the night must be at rest. */
  findings(changes?: SpecChanges): Promise<Finding[]>
}

/** Begins to watch a night; only what is delivered through the result is known to the checker. */
export async function watchNight(night: Night): Promise<WatchedNight> {
  const folder = path.join(night.folder, 'watched')
  await mkdir(folder, { recursive: true })
  const deliveries: Delivery[] = []
  return {
    deliver: async (endpoint, name, content) => {
      const copy = path.join(folder, `${deliveries.length}-${endpoint}`)
      await writeFile(copy, content)
      deliveries.push({ endpoint, name, path: copy })
      await night.deliver(endpoint, name, content)
    },
    findings: async (changes = {}) => {
      const spec = await writeSpec(night, folder, deliveries, changes)
      return check(spec)
    },
  }
}

async function writeSpec(
  night: Night,
  folder: string,
  deliveries: readonly Delivery[],
  { mails = night.smtp.received, ...changes }: SpecChanges,
): Promise<string> {
  const file = (name: string): string => path.join(folder, name)
  await writeFile(file('mailbox.json'), JSON.stringify(mails.map(({ to, raw }) => ({ to, raw }))))
  const { rows, effects } = night.store
  const api = {
    requests: night.api.requests.map(({ key, bodyHash }) => ({ key, bodyHash })),
    rows: [...rows.values()],
    effects: [...rows.keys()].map(key => effects.get(key) ?? 0),
  }
  await writeFile(file('api.json'), JSON.stringify(api))
  const after = Object.entries(night.changes).map(([job, change]) => [job, change.after ?? 'leave'])
  const spec: CheckSpec = {
    database: night.database.url,
    deliveries,
    remote: Object.fromEntries(
      Object.keys(night.sftp).map(name => [name, path.join(night.folder, 'remote', name)]),
    ),
    after: Object.fromEntries(after),
    dataFolder: night.environment.dataFolder,
    mailbox: file('mailbox.json'),
    api: file('api.json'),
    lostMailAnswers: 0,
    notLoaded: [],
    ...changes,
  }
  await writeFile(file('spec.json'), JSON.stringify(spec))
  return file('spec.json')
}

/** Runs the checker. @throws when it could not look. */
async function check(spec: string): Promise<Finding[]> {
  const { code, stdout, stderr } = await new Promise<{
    code: unknown
    stdout: string
    stderr: string
  }>(resolve => {
    execFile(process.execPath, [CHECKER, spec], { maxBuffer: 64 * 1024 ** 2 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    )
  })
  if (code !== 0 && code !== 1) throw new Error(`the checker failed (${String(code)}): ${stderr}`)
  const findings = JSON.parse(stdout) as Finding[]
  if ((code === 0) !== (findings.length === 0))
    throw new Error(`exit ${code} with ${findings.length} findings`)
  return findings
}
