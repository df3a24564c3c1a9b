/**
 * Proves many seeded tables by hand: `npm run seeds -- --seeds 5000 --from 100000`. Each group of seeds has a
 * shape of its own; what is proved of it: mutation-proof.ts. Says a line per group and ends at the first fault.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Database } from '../../lib/db/database.ts'
import { proveSeeds } from './mutation-proof.ts'
import { agreementIn } from './oracle/agreed.ts'
import { startTestServer } from './postgres.ts'

/** Seeds that are compared at once, in one shape. */
const GROUP = 50

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '5000' }, from: { type: 'string', default: '100000' } },
})
const [count, from] = [Number(values.seeds), Number(values.from)]
const folder = await mkdtemp(join(tmpdir(), 'tallyman-seeds-'))
const server = await startTestServer()
const database = await Database.open(server.url)
try {
  let edits = 0
  for (let done = 0; done < count; done += GROUP) {
    const seeds = Array.from({ length: Math.min(GROUP, count - done) }, (_, i) => from + done + i)
    edits += await proveSeeds(agreementIn(folder, database), { shapeSeed: from + done, seeds })
    process.stdout.write(`${done + seeds.length} seeds: ${edits} edits came back, and nothing else\n`)
  }
  process.stdout.write(
    `${count} seeds from ${from}: engine and oracle agree byte for byte, both ways, in any order\n`,
  )
} finally {
  await database.close()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}
