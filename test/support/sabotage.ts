/**
 * Sabotage: takes one guard at a time out of a copy of the tree and runs the test that is to catch it.
 * A guard that no test misses is no guard, or its test is no test. The guards: sabotage/all-guards.ts.
 *
 *     npm run sabotage                 all of them, some minutes
 *     npm run sabotage -- outbox lease only those whose words or files hold one of these
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { startTestServer, TEST_POSTGRES } from './postgres.ts'
import { ALL_GUARDS } from './sabotage/all-guards.ts'
import { complaintAbout, type Guard } from './sabotage/guard.ts'
import { TreeCopy } from './sabotage/tree-copy.ts'

const ROOT = path.join(import.meta.dirname, '..', '..')

/** Copies that are worked in at once: most tests wait for Postgres or a peer. */
const WORKERS = 2

/** What became of one guard. */
interface Trial {
  readonly guard: Guard
  readonly caught: boolean
  readonly says: string
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function fileOfTree(file: string): string | null {
  try {
    return readFileSync(path.join(ROOT, file), 'utf8')
  } catch {
    return null
  }
}

function chosen(words: readonly string[]): Guard[] {
  return ALL_GUARDS.filter(
    guard => words.length === 0 || words.some(word => `${guard.against} ${guard.file}`.includes(word)),
  )
}

/** Does the work for each item, as many at once as there are copies. */
async function share<I, O>(
  copies: readonly TreeCopy[],
  items: readonly I[],
  work: (copy: TreeCopy, item: I) => Promise<O>,
): Promise<O[]> {
  const results: O[] = []
  let next = 0
  await Promise.all(
    copies.map(async copy => {
      for (let at = next; at < items.length; at = next) {
        next += 1
        results[at] = await work(copy, items[at]!)
      }
    }),
  )
  return results
}

/** What is wrong with the tests while all guards stand: each must be there and pass, or its failure proves nothing. */
async function soundness(copy: TreeCopy, test: string, guards: readonly Guard[]): Promise<string[]> {
  const titles = [...new Set(guards.filter(guard => guard.test === test).map(({ title }) => title))]
  const { passed, failed, output } = await copy.test(test, titles)
  const lost = titles.filter(title => !passed.some(other => other.startsWith(title)))
  if (failed.length === 0 && lost.length === 0) return []
  return [
    `${test} is not sound with all guards in place; failed: ${failed.join(', ') || 'none'}; not run: ${lost.join(', ') || 'none'}\n${output}`,
  ]
}

async function attempt(copy: TreeCopy, guard: Guard): Promise<Trial> {
  const { failed, passed, output } = await copy.without([guard, ...(guard.behind ?? [])], () =>
    copy.test(guard.test, [guard.title]),
  )
  const caught = failed.some(title => title.startsWith(guard.title))
  const trial = { guard, caught, says: '' }
  say(`${caught ? 'caught    ' : 'NOT CAUGHT'}  ${guard.file}: ${guard.against}`)
  say(`            by ${guard.test}: ${guard.title}`)
  if (caught) return trial
  return {
    ...trial,
    says:
      passed.length > 0
        ? 'its test passes without the guard'
        : `its test did not run without the guard:\n${output}`,
  }
}

async function main(words: readonly string[]): Promise<boolean> {
  const guards = chosen(words)
  const complaints = guards.flatMap(guard => complaintAbout(guard, fileOfTree) ?? [])
  if (guards.length === 0) complaints.push(`No guard has one of the words ${words.join(', ')}.`)
  for (const complaint of complaints) say(complaint)
  if (complaints.length > 0) return false
  const server = await startTestServer()
  process.env[TEST_POSTGRES] = server.url
  const copies = Array.from({ length: WORKERS }, () => new TreeCopy(ROOT))
  try {
    const tests = [...new Set(guards.map(({ test }) => test))]
    say(`${guards.length} guards, ${tests.length} test files; first all tests with every guard in place`)
    const unsound = (await share(copies, tests, (copy, test) => soundness(copy, test, guards))).flat()
    for (const complaint of unsound) say(complaint)
    if (unsound.length > 0) return false
    const trials = await share(copies, guards, attempt)
    const missed = trials.filter(({ caught }) => !caught)
    for (const { guard, says } of missed) say(`\n${guard.file}: ${guard.against}: ${says}`)
    say(`\n${trials.length - missed.length} of ${trials.length} caught`)
    return missed.length === 0
  } finally {
    for (const copy of copies) copy.remove()
    await server.stop()
  }
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1
