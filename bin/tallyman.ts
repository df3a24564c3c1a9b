#!/usr/bin/env node
/**
 * The composition root: the only reader of arguments and environment variables, the only caller of
 * process.exit. Which commands there are: program.ts. What each does: commands/.
 */
import { armFailpoint } from '../lib/model/failpoint.ts'
import { runProgram } from './program.ts'

const failpoint = process.env.TALLYMAN_FAILPOINT
if (failpoint !== undefined && failpoint !== '') armFailpoint(failpoint)

// Streams are flushed by letting the loop drain; exit only ends what a peer keeps open.
process.exitCode = await runProgram(process.argv.slice(2), process.env, process.cwd())
process.stdout.write('', () => process.exit())
