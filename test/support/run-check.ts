/**
 * Lets the independent checker (checker/check.ts, a process of its own) judge a night of a test. Keeps
 * an untouched copy of every delivery, and writes down what mail server and API saw.
 *
 *     const watched = await watchNight(night)
 *     await watched.deliver('portal', 'orders_20261119.csv', orders('2026-11-19', someLines(3)))
 *     await night.run('portal-orders', '2026-11-19')
 *     assert.deepEqual(await watched.findings(), [])
 */
import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after } from 'node:test'
import type { CheckSpec, Delivery, Finding } from './checker/spec.ts'
import type { Night } from './night.ts'
import type { ReceivedMail } from './smtp-peer.ts'

const CHECKER = path.join(import.meta.dirname, 'checker', 'check.ts')

/** What a test may say otherwise than the night itself. */
export type SpecChanges = Partial<
  Pick<CheckSpec, 'lostMailAnswers' | 'notLoaded' | 'refused' | 'after' | 'database'>
> & {
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

/** Begins to watch a night; call it where openNight is called. Only what is delivered through the result is known to the checker. */
export async function watchNight(night: Night): Promise<WatchedNight> {
  const folder = path.join(night.folder, 'watched')
  await mkdir(folder, { recursive: true })
  const deliveries: Delivery[] = []
  const check = startChecker()
  return {
    deliver: async (endpoint, name, content) => {
      const copy = path.join(folder, `${deliveries.length}-${endpoint}`)
      deliveries.push({ endpoint, name, path: copy })
      await writeFile(copy, content)
      await night.deliver(endpoint, name, content)
    },
    findings: async (changes = {}) => check(await writeSpec(night, folder, deliveries, changes)),
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
  const afterLoad = Object.entries(night.changes).map(([job, change]) => [job, change.after ?? 'leave'])
  const spec: CheckSpec = {
    database: night.database.url,
    deliveries,
    remote: Object.fromEntries(
      Object.keys(night.sftp).map(name => [name, path.join(night.folder, 'remote', name)]),
    ),
    after: Object.fromEntries(afterLoad),
    dataFolder: night.environment.dataFolder,
    mailbox: file('mailbox.json'),
    api: file('api.json'),
    lostMailAnswers: 0,
    notLoaded: [],
    refused: [],
    ...changes,
  }
  await writeFile(file('spec.json'), JSON.stringify(spec))
  return file('spec.json')
}

/** A checker of its own process, until the file's tests are over; starting one for each look takes longer than the look. */
function startChecker(): (spec: string) => Promise<Finding[]> {
  const child = spawn(process.execPath, [CHECKER], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  after(() => child.stdin.end())
  return async spec => {
    child.stdin.write(`${spec}\n`)
    const { done, value } = await answers.next()
    if (done === true) throw new Error('the checker ended by itself')
    const answer = JSON.parse(value) as { findings: Finding[] } | { failed: string }
    if ('failed' in answer) throw new Error(`the checker could not look: ${answer.failed}`)
    return answer.findings
  }
}
