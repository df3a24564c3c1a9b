/**
 * Runs the benchmarks one after the other, each in a process of its own, and prints one table of their
 * figures: at the sizes of docs/performance.md in about 12 minutes, with `--quick` at a tenth of them.
 * `--only csv-to-staging` runs one.
 */
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cells, type Figure, isMet } from './figures.ts'

/** Each benchmark with its sizes: those of docs/performance.md, and the quick ones. */
const BENCHMARKS: readonly (readonly [name: string, full: string, quick: string])[] = [
  ['start', '--rounds 11', '--rounds 5'],
  ['csv-to-staging', '--rows 2000000 --rounds 3', '--rows 200000 --rounds 3'],
  ['camt-to-staging', '--entries 300000 --rounds 5', '--entries 30000 --rounds 3'],
  ['sftp-fetch', '--megabytes 300 --rounds 5', '--megabytes 100 --rounds 3'],
  ['whole-load', '--rows 2000000 --rounds 1', '--rows 200000 --rounds 2'],
  ['growth', '--rows 1000000 --entries 100000', '--rows 50000 --entries 10000'],
]

/** As the program itself is started: see docs/performance.md. */
const NODE_FLAGS = ['--max-semi-space-size=16']

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, only: { type: 'string' } } })
const started = performance.now()
const figures: Figure[] = []
let failed = 0
for (const [name, full, quick] of BENCHMARKS) {
  if (values.only !== undefined && values.only !== name) continue
  const code = await run(name, values.quick === true ? quick : full)
  if (code !== 0) failed += 1
}
const minutes = (performance.now() - started) / 60_000
process.stdout.write(`\n${table(figures)}\n`)
process.stdout.write(
  `${figures.filter(isMet).length} of ${figures.length} met, ${minutes.toFixed(1)} minutes\n`,
)
if (failed > 0) throw new Error(`${failed} benchmarks failed`)

/** Runs one benchmark and keeps its figures; gives its exit code. */
function run(name: string, sizes: string): Promise<number | null> {
  process.stdout.write(`\n# ${name} ${sizes}\n`)
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, `${name}.ts`), sizes.split(' '), { execArgv: NODE_FLAGS })
    child.on('message', figure => figures.push(figure as Figure))
    child.once('error', reject)
    child.once('close', resolve)
  })
}

function table(rows: readonly Figure[]): string {
  const lines = [['path', 'ours', 'limit', 'ratio', 'reach', ''], ...rows.map(cells)]
  const widths = lines[0]!.map((_, at) => Math.max(...lines.map(line => line[at]!.length)))
  const text = lines.map(line => `| ${line.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`)
  text.splice(1, 0, `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`)
  return text.join('\n')
}
