/**
 * A process that holds a run, to be killed or paused by a test: `node lease-holder.ts URL JOB DATE [fenced|busy]`.
 * Prints `held` when it has the lease; with `fenced` it also stands inside a transaction that has
 * locked the fence, prints `locked`, and when it is woken by a line on stdin tries to commit;
 * with `busy` it prints `busy` and waits inside a statement of ten minutes.
 */
import { once } from 'node:events'
import { Database } from '../../lib/db/database.ts'
import { assertFence } from '../../lib/ledger/fence.ts'
import { registerBackend, takeLease } from '../../lib/ledger/lease.ts'
import { describeError } from '../../lib/model/errors.ts'
import { systemClock } from '../../lib/model/time/clock.ts'

const [url, job, businessDate, how] = process.argv.slice(2)
const database = await Database.open(url!)
const lease = await takeLease(
  database,
  systemClock,
  { job: job!, businessDate: businessDate! },
  {
    trigger: 'schedule',
  },
)
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}
say('held')
if (how === 'fenced') {
  const connection = await database.connect()
  await registerBackend(lease, connection)
  try {
    await connection.transaction(async () => {
      await assertFence(connection, lease)
      say('locked')
      await once(process.stdin, 'data')
    })
    say('committed')
  } catch (error) {
    say(describeError(error))
  }
  process.exit(0)
}
if (how === 'busy') {
  const connection = await database.connect()
  await registerBackend(lease, connection)
  const statement = connection.query('SELECT pg_sleep(600)')
  say('busy')
  await statement
}
await once(process.stdin, 'data')
process.exit(0)
