#!/usr/bin/env -S node --max-semi-space-size=16
/**
 * The composition root: the only reader of arguments and environment variables, the only caller of
 * process.exit. Which commands there are: command-list.ts. What each does: commands/.
 */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Stripping types and compiling take 130 of the 200 ms of a `--help`, and 600 of those before a run's
// first line; both are kept here. A folder that can't be written only means that they are done again.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'tallyman'))

const failpoint = process.env.TALLYMAN_FAILPOINT
if (failpoint !== undefined && failpoint !== '') {
  const { armFailpoint } = await import('../lib/model/failpoint.ts')
  armFailpoint(failpoint)
}

// Whoever read our output may go away (`| head`): the run goes on. Any other failure to write data is one of ours.
process.stderr.on('error', () => {})
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return
  process.stderr.write(`error stdout can't be written: ${error.message}\n`)
  process.exit(1)
})

const { runProgram } = await import('./program.ts')
// Streams are flushed by letting the loop drain; exit only ends what a peer keeps open.
process.exitCode = await runProgram(process.argv.slice(2), process.env, process.cwd())
process.stdout.write('', () => process.exit())
