/**
 * A fetch in a process of its own, to be killed at a failpoint: `node fetch-child.ts <JSON>`.
 * Prints one line per row it would write. Used by the crash tests of lib/fetch.
 */
import { fetchFiles } from '../../lib/fetch/fetch-files.ts'
import { openSource } from '../../lib/fetch/open-source.ts'
import type { SftpEndpoint } from '../../lib/model/environment.ts'
import { armFailpoint } from '../../lib/model/failpoint.ts'
import type { SftpSource } from '../../lib/model/job.ts'
import { silentLog } from '../../lib/model/progress.ts'
import { Secret } from '../../lib/model/secret.ts'
import { systemClock } from '../../lib/model/time/clock.ts'

/** What the child is told. */
export interface FetchChildOrder {
  readonly spec: SftpSource
  readonly endpoint: SftpEndpoint
  readonly businessDate: string
  readonly archive: { readonly path: string }
  readonly failpoint: string
}

const order = JSON.parse(process.argv[2] ?? '{}') as FetchChildOrder
armFailpoint(order.failpoint)
const signal = new AbortController().signal
// Pauses are not what is tested here; the watchdog's long one is never reached.
const clock = {
  ...systemClock,
  sleep: (ms: number, stop?: AbortSignal) => systemClock.sleep(ms > 30_000 ? ms : 0, stop),
}
const context = { clock, log: silentLog, signal, progress: () => {} }
const source = await openSource(
  order.spec,
  { name: 'test', dataFolder: '.', sftp: { [order.spec.endpoint]: order.endpoint } },
  async () => new Secret('canary-correct-horse'),
  context,
)
await fetchFiles({
  ...{ spec: order.spec, businessDate: order.businessDate, archive: order.archive },
  ...{ source, context, known: [] },
  onReceived: async file => {
    process.stdout.write(`${file.rawSha256}\n`)
  },
})
await source.close()
