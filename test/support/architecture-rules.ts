/**
 * The rules of the house as pure functions: source files in, complaints out, each naming file and line.
 * test/architecture.test.ts holds the tree to them and proves on planted examples that each can fail.
 * What they mean and why they are so: ARCHITECTURE.md.
 */
import { posix } from 'node:path'
import { callsOf, exportsOf, headerOf, importsOf, type SourceFile } from './source-facts.ts'

/** A rule: complaints about these files, empty when they keep it. */
export type Rule = (files: readonly SourceFile[]) => string[]

/** The rung of each unit (a folder of lib, or a top folder). Higher imports lower, never its own rung. */
const RUNGS: Readonly<Record<string, number>> = {
  bin: 10,
  demo: 10,
  'jobs.config.ts': 9,
  environments: 9,
  jobs: 8,
  'lib/schedule': 7,
  'lib/run': 6,
  mappings: 5,
  reconcile: 5,
  'lib/fetch': 4,
  'lib/parse': 4,
  'lib/map': 4,
  'lib/load': 4,
  'lib/report': 4,
  'lib/ledger': 3,
  'lib/config': 2,
  'lib/format': 2,
  'lib/db': 2,
  'lib/sftp': 2,
  'lib/http': 2,
  'lib/log': 1,
  'lib/model': 0,
}

/** `lib/fetch` for lib/fetch/sftp.ts, `bin` for bin/tallyman.ts, `jobs.config.ts` for itself. */
export function unitOf(path: string): string {
  const parts = path.split('/')
  return parts[0] === 'lib' ? parts.slice(0, 2).join('/') : parts[0]!
}

/** Tests and benchmarks may import everything, read argv and print; nothing may import them. */
function isProduct(path: string): boolean {
  return !['test', 'bench'].includes(unitOf(path))
}

function isDemo(path: string): boolean {
  return /^(?:bin\/demo[^/]*\.ts|bin\/demo\/.*|demo\/.*)$/.test(path)
}

/** A file imports only from lower rungs and its own folder; lib and reconcile know no job; mappings know lib/model and lib/map only. */
export const ladder: Rule = files =>
  files
    .filter(file => isProduct(file.path))
    .flatMap(file => {
      const unit = unitOf(file.path)
      const rung = RUNGS[unit]
      if (rung === undefined) return [`${file.path}: ${unit} has no rung on the import ladder`]
      return importsOf(file).flatMap(({ target, specifier, line }) => {
        if (specifier === '(computed)' && unit.startsWith('lib'))
          return [`${file.path}:${line} imports a computed path; only bin may`]
        if (
          target === null ||
          unitOf(target) === unit ||
          !isProduct(target) ||
          target.startsWith('fixtures/')
        )
          return []
        const other = unitOf(target)
        const otherRung = RUNGS[other]
        if (otherRung === undefined)
          return other === 'package.json' ? [] : [`${file.path}:${line} imports ${target}, which has no rung`]
        if (otherRung >= rung)
          return [`${file.path}:${line} (rung ${rung}) imports ${target} (rung ${otherRung})`]
        if (unit === 'mappings' && !['lib/model', 'lib/map'].includes(other))
          return [`${file.path}:${line} imports ${target}; mappings import lib/model and lib/map only`]
        return []
      })
    })

/** No cycles, type imports included. Each is told once, from its alphabetically first file. */
export const cycles: Rule = files => {
  const edges = new Map(files.map(file => [file.path, importsOf(file).flatMap(({ target }) => target ?? [])]))
  const complaints: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) {
      complaints.push(`cycle: ${[...trail.slice(start), path].join(' -> ')}`)
      return
    }
    if (done.has(path)) return
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of [...edges.keys()].sort()) visit(path, [])
  return complaints
}

/** Imports end in an existing file. */
export const targetsExist: Rule = files => {
  const known = new Set(files.map(file => file.path))
  return files.flatMap(file =>
    importsOf(file)
      .filter(({ target }) => target?.endsWith('.ts') === true && !known.has(target))
      .map(({ target, line }) => `${file.path}:${line} imports ${target}, which does not exist`),
  )
}

/** Each npm package is imported in one folder only (type imports count), so its errors are translated once; luxon in lib/model/time. */
export const oneImporter: Rule = files => {
  const importers = new Map<string, Map<string, string>>()
  for (const file of files.filter(({ path }) => isProduct(path) && !isDemo(path))) {
    for (const { package: name, line } of importsOf(file)) {
      if (name === null) continue
      const home = name === 'luxon' ? posix.dirname(file.path) : unitOf(file.path)
      importers.set(name, (importers.get(name) ?? new Map()).set(home, `${file.path}:${line}`))
    }
  }
  return [...importers].flatMap(([name, homes]) => {
    if (homes.size > 1) return [`${name} is imported in ${[...homes.values()].join(' and ')}; one folder may`]
    if (name === 'luxon' && !homes.has('lib/model/time'))
      return [`luxon is imported in ${[...homes.values()].join()}; lib/model/time may`]
    return []
  })
}

/** The product imports declared runtime packages only; the demo may use the test peers' packages. */
export function declaredPackages(dependencies: readonly string[]): Rule {
  return files =>
    files
      .filter(({ path }) => isProduct(path) && !isDemo(path))
      .flatMap(file =>
        importsOf(file)
          .filter(({ package: name }) => name !== null && !dependencies.includes(name))
          .map(
            ({ package: name, line }) =>
              `${file.path}:${line} imports ${name}, which is no runtime dependency`,
          ),
      )
}

/** Only bin reads argv and the environment's variables and ends the process. */
export const onlyBinTouchesProcess: Rule = files =>
  files
    .filter(({ path }) => isProduct(path) && unitOf(path) !== 'bin' && unitOf(path) !== 'demo')
    .flatMap(file => {
      const forbidden = ['argv', 'env', 'exit', 'exitCode']
      const complaints = importsOf(file)
        .filter(
          ({ specifier, names }) =>
            /^(?:node:)?process$/.test(specifier) && names.some(name => forbidden.includes(name)),
        )
        .map(
          ({ line }) => `${file.path}:${line} imports ${forbidden.join(', ')} of the process; only bin may`,
        )
      const code = file.tokens.filter(token => token.kind !== 'comment')
      code.forEach((token, i) => {
        if (token.text !== 'process' || code[i - 1]?.text === '.') return
        const member = code[i + 1]?.text === '?' ? code[i + 3] : code[i + 2]
        const name = member?.value ?? member?.text ?? ''
        if ('.?['.includes(code[i + 1]?.text ?? ' ') && forbidden.includes(name))
          complaints.push(`${file.path}:${token.line} uses process.${name}; only bin may`)
      })
      return complaints
    })

/** Nothing outside test and bench imports test or fixtures, but for the demo. */
export const testStaysOutside: Rule = files =>
  files
    .filter(({ path }) => isProduct(path) && !isDemo(path))
    .flatMap(file =>
      importsOf(file)
        .filter(({ target }) => target !== null && ['test', 'bench', 'fixtures'].includes(unitOf(target)))
        .map(({ target, line }) => `${file.path}:${line} imports ${target}`),
    )

/** Source files have at most 300 lines, tests and their support 400: a file at its limit splits by verb. */
export const sizes: Rule = files =>
  files.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length
    const limit = unitOf(path) === 'test' ? 400 : 300
    return lines > limit ? [`${path} has ${lines} lines, ${limit} are allowed`] : []
  })

const FORBIDDEN = ['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'manager', 'managers']

/** No name that says nothing: it would attract whatever has no home. */
export const names: Rule = files =>
  files
    .filter(({ path }) =>
      path.split('/').some((part, i, all) => {
        const stem = part.replace(/(?:\.test)?\.ts$/, '')
        return (
          stem.split(/[-_.]/).some(word => FORBIDDEN.includes(word)) ||
          (stem === 'types' && i === all.length - 1)
        )
      }),
    )
    .map(({ path }) => `${path}: a forbidden name`)

/** Every file opens with a comment of one to eight lines that says what it does and what it leaves to others. */
export const headers: Rule = files =>
  files.flatMap(file => {
    const header = headerOf(file)
    if (header === null || !header.startsWith('/**'))
      return [`${file.path} does not open with a /** header comment */`]
    const lines = header.split('\n').filter(line => /\w/.test(line))
    if (lines.length < 1 || lines.length > 8)
      return [`${file.path}: its header has ${lines.length} lines, 1 to 8 are allowed`]
    return lines.join(' ').length < 40 ? [`${file.path}: its header says too little`] : []
  })

/** Every exported declaration has a docstring of its own; what a define function makes carries its `doc` inside. */
export const docstrings: Rule = files =>
  files
    .filter(({ path }) => !path.endsWith('.test.ts'))
    .flatMap(file =>
      exportsOf(file)
        .filter(fact => !fact.documented)
        .map(({ name, line }) => `${file.path}:${line} export ${name} has no docstring`),
    )

/** A test's title is a claim that stands once in the whole suite, without "should". */
export const titles: Rule = files => {
  const seen = new Map<string, string>()
  return files
    .filter(({ path }) => path.endsWith('.test.ts'))
    .flatMap(file =>
      callsOf(file, ['test', 'it']).flatMap(({ argument, receiver, line }) => {
        if (argument === null || (receiver !== null && receiver !== 't')) return []
        const here = `${file.path}:${line}`
        if (/\bshould\b/i.test(argument)) return [`${here} says "should": ${argument}`]
        const first = seen.get(argument)
        if (first !== undefined) return [`${here} repeats the title of ${first}: ${argument}`]
        seen.set(argument, here)
        return []
      }),
    )
}

/** A failpoint is named by a plain text that stands once in the source, `step.where`. */
export const failpoints: Rule = files => {
  const seen = new Map<string, string>()
  return files
    .filter(({ path }) => isProduct(path) && path !== 'lib/model/failpoint.ts')
    .flatMap(file =>
      callsOf(file, ['failpoint']).flatMap(({ argument, line }) => {
        const here = `${file.path}:${line}`
        if (argument === null) return [`${here}: the failpoint's name is not a plain text`]
        if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(argument))
          return [`${here}: failpoint ${argument} is not named step.where`]
        const first = seen.get(argument)
        if (first !== undefined) return [`${here} repeats failpoint ${argument} of ${first}`]
        seen.set(argument, here)
        return []
      }),
    )
}
