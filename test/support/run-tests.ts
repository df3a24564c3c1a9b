/**
 * Runs the suite: `quick` (unit, golden, types, architecture, documentation; no Postgres, under a
 * minute) or `all` (types and lint first, then every test against real peers).
 * Node's own output and closing summary go through unchanged; this file only decides what runs and
 * refuses a green result from too few tests. What starts before the tests: global-setup.ts.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { glob, readFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { canaryIn } from './canary.ts'

const ROOT = join(import.meta.dirname, '..', '..')

/** What each kind of run collects. */
const SUITES = {
  quick: ['test/*.test.ts', 'test/unit/**/*.test.ts', 'test/golden/**/*.test.ts', 'test/types/**/*.test.ts'],
  all: ['test/**/*.test.ts'],
} as const

/** Fewer passed tests than this is a failure: an empty or mistyped glob makes `node --test` exit 0. Raised by hand with the suite. */
const LEAST_PASSED: Readonly<Record<keyof typeof SUITES, number>> = { quick: 400, all: 900 }

/** A test that needs longer hangs: the longest (1,024 cut downloads, the kill matrix) take one to two minutes alone, several times that on a busy machine. */
const TEST_TIMEOUT_MS = 900_000

/** Files at a time. Most wait for Postgres or a child process, so twice the cores; measured best at 4 on two cores. */
const CONCURRENCY = Math.max(4, availableParallelism() * 2)

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

function env(): NodeJS.ProcessEnv {
  // The project's own Node and tools come first, also when this file is started without npm.
  const path = [join(ROOT, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter)
  return { ...process.env, PATH: path }
}

function run(command: string, args: readonly string[], shell: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', env: env(), shell })
    process.once('SIGTERM', () => child.kill('SIGTERM'))
    // The terminal sends Ctrl-C to the child as well; waiting for it keeps the teardown.
    process.once('SIGINT', () => {})
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal === null ? (code ?? 1) : 1))
  })
}

async function runScript(name: 'types' | 'lint'): Promise<boolean> {
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  say(`\n> ${name}: ${manifest.scripts[name]}`)
  return (await run(manifest.scripts[name]!, [], true)) === 0
}

async function collect(patterns: readonly string[]): Promise<string[]> {
  const files: string[] = []
  for await (const file of glob([...patterns], { cwd: ROOT })) {
    if (!file.startsWith(join('test', 'types', 'refused'))) files.push(file)
  }
  return files.sort()
}

async function runTests(files: readonly string[], least: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'tallyman-tests-'))
  const counts = join(folder, 'counts.tap')
  try {
    const code = await run(
      process.execPath,
      [
        '--test',
        '--test-force-exit',
        `--test-concurrency=${CONCURRENCY}`,
        `--test-timeout=${TEST_TIMEOUT_MS}`,
        `--test-global-setup=${join(ROOT, 'test', 'support', 'global-setup.ts')}`,
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
        '--test-reporter=tap',
        `--test-reporter-destination=${counts}`,
        ...files,
      ],
      false,
    )
    const said = readFileSync(counts, 'utf8')
    const leak = canaryIn(said)
    if (leak !== null) {
      say(`A secret of a test stands in the output of the tests: ${leak}`)
      return false
    }
    const passed = Number(/^# pass (\d+)$/m.exec(said)?.[1] ?? 0)
    if (passed >= least) return code === 0
    say(
      `Only ${passed} tests passed, at least ${least} must: tests were lost, or test/support/run-tests.ts collects the wrong files.`,
    )
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function main(kind: string | undefined): Promise<boolean> {
  if (kind !== 'quick' && kind !== 'all') {
    say('Usage: node test/support/run-tests.ts quick|all')
    return false
  }
  if (kind === 'all') {
    // Both are run even if the first fails, so that one look shows all there is to mend.
    const types = await runScript('types')
    const lint = await runScript('lint')
    if (!types || !lint) return false
  }
  const files = await collect(SUITES[kind])
  say(`\n> tests: ${files.length} files, ${kind}`)
  process.env.TALLYMAN_TEST_SUITE = kind
  return runTests(files, LEAST_PASSED[kind])
}

process.exitCode = (await main(process.argv[2])) ? 0 : 1
