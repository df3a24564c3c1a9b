/**
 * What the pages promise about the source, as pure functions: error codes both ways, links, commands,
 * words. test/documentation.test.ts holds the project to them and proves that each can fail.
 */
import { posix } from 'node:path'
import { callsOf, type SourceFile } from './source-facts.ts'

const CODE = /^(?:FETCH|PARSE|MAP|LOAD|RECONCILE|REPORT|CONFIG|RUN|BUG)_[A-Z0-9_]+$/

/** Folders whose error codes are the product's. */
const CODE_FOLDERS = /^(?:lib|reconcile|bin|mappings|jobs)\//

/** Code -> where it stands, for every plain text in the source that has the form of an error code. */
export function codesInSource(files: readonly SourceFile[]): Map<string, string> {
  const codes = new Map<string, string>()
  for (const file of files) {
    if (!CODE_FOLDERS.test(file.path)) continue
    for (const { kind, value, line } of file.tokens) {
      if ((kind === 'string' || kind === 'template') && value !== null && CODE.test(value)) {
        if (!codes.has(value)) codes.set(value, `${file.path}:${line}`)
      }
    }
  }
  return codes
}

/** A row of the page of errors. */
export interface ErrorRow {
  readonly code: string
  readonly section: string
  /** Cells after the code: meaning, retried, who acts, what to do. */
  readonly cells: readonly string[]
}

/** Rows of docs/errors.md. */
export function errorRows(page: string): ErrorRow[] {
  const rows: ErrorRow[] = []
  let section = ''
  for (const line of page.split('\n')) {
    section = /^## (\w+)/.exec(line)?.[1] ?? section
    const cells = line.split(/(?<!\\)\|/).map(cell => cell.trim())
    if (line.startsWith('|') && CODE.test(cells[1] ?? '')) {
      rows.push({ code: cells[1]!, section, cells: cells.slice(2, -1) })
    }
  }
  return rows
}

/** Complaints about codes without a row, rows without a code, rows twice, in the wrong section or with an empty cell. */
export function errorPageComplaints(files: readonly SourceFile[], page: string): string[] {
  const codes = codesInSource(files)
  const rows = errorRows(page)
  const seen = new Set<string>()
  const complaints: string[] = []
  for (const { code, section, cells } of rows) {
    if (seen.has(code)) complaints.push(`docs/errors.md lists ${code} twice`)
    seen.add(code)
    if (!codes.has(code)) complaints.push(`docs/errors.md lists ${code}, which is not in the source`)
    if (code.split('_')[0]!.toLowerCase() !== section)
      complaints.push(`docs/errors.md lists ${code} under ${section}`)
    if (cells.length !== 4 || cells.some(cell => cell === ''))
      complaints.push(`docs/errors.md: the row of ${code} has not four filled cells`)
  }
  for (const [code, where] of codes) {
    if (!seen.has(code)) complaints.push(`${where} uses ${code}, which has no row in docs/errors.md`)
  }
  return complaints
}

/** Complaints about words of the columns "retried" and "who acts" that the page's legend does not explain in bold. */
export function legendComplaints(page: string): string[] {
  const legend = page.slice(0, page.indexOf('\n## '))
  const words = new Set([...legend.matchAll(/\*\*([^*]+)\*\*/g)].map(match => match[1]!))
  return errorRows(page).flatMap(({ code, cells }) =>
    cells
      .slice(1, 3)
      .flatMap(cell => cell.split(/, | \/ /))
      .filter(word => !words.has(word))
      .map(word => `docs/errors.md: the row of ${code} says "${word}", which the legend does not explain`),
  )
}

/** Relative links and pictures of a page that lead to nothing. `exists` gets paths from the root. */
export function brokenLinks(path: string, text: string, exists: (path: string) => boolean): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '')
  const targets = [
    ...prose.matchAll(/\]\(\s*<?([^)>\s]+)>?[^)]*\)/g),
    ...prose.matchAll(/(?:src|href)="([^"]+)"/g),
  ]
  return targets
    .map(match => match[1]!)
    .filter(target => !/^(?:[a-z]+:|#)/i.test(target))
    .map(target =>
      posix.normalize(posix.join(posix.dirname(path), decodeURIComponent(target.replace(/#.*$/, '')))),
    )
    .filter(target => !exists(target))
    .map(target => `${path} links to ${target}, which does not exist`)
}

/** Headings of a page that its `#fragment` links miss. */
export function brokenFragments(path: string, text: string): string[] {
  const slugs = new Set(
    [...text.matchAll(/^#+ (.+)$/gm)].map(match =>
      match[1]!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
  return [...text.matchAll(/\]\(#([^)]+)\)/g)]
    .filter(match => !slugs.has(match[1]!))
    .map(match => `${path} links to #${match[1]}, which is no heading`)
}

/** Lines of the ```sh blocks of a page that are commands. */
export function shellCommands(text: string): string[] {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
    .flatMap(match => match[1]!.split('\n'))
    .map(line =>
      line
        .replace(/\s+#\s.*$/, '')
        .replace(/^\$ /, '')
        .trim(),
    )
    .filter(line => line !== '' && !line.startsWith('#'))
}

/** Bold-faced or tabled words of the glossary: the first cell of each row, or `**word**` at a line's start. */
export function glossaryWords(text: string): Set<string> {
  const words = new Set<string>()
  for (const line of text.split('\n')) {
    const cell = /^\| \**([^|]+?)\** \|/.exec(line)?.[1] ?? /^\*\*(.+?)\*\*/.exec(line)?.[1]
    for (const word of cell?.split(',') ?? []) words.add(word.trim().toLowerCase())
  }
  return words
}

/**
 * Complaints about source files that a comment names and that do not exist, by name or by the end of their path.
 * `environments/<name>.ts` is the reader's own, and an example of a path is not meant.
 */
export function staleNames(files: readonly SourceFile[]): string[] {
  const paths = files.map(({ path }) => `/${path}`)
  const complaints: string[] = []
  for (const { path, tokens } of files) {
    if (path.startsWith('test/support/architecture-rules')) continue
    for (const { kind, text, line } of tokens) {
      if (kind !== 'comment') continue
      for (const [name] of text.matchAll(/(?<![\w<>*{./-])[a-z][\w/.-]*\.ts\b/g)) {
        if (name.startsWith('environments/') || paths.some(known => known.endsWith(`/${name}`))) continue
        complaints.push(`${path}:${line} names ${name}, which does not exist`)
      }
    }
  }
  return complaints
}

/** Job files without a page; `exists` gets paths from the root. */
export function jobsWithoutPage(files: readonly SourceFile[], exists: (path: string) => boolean): string[] {
  return files
    .filter(({ path }) => /^jobs\/[^/]+\.ts$/.test(path))
    .filter(file => callsOf(file, ['defineJob']).length > 0)
    .map(({ path }) => `docs/integrations/${posix.basename(path, '.ts')}.md`)
    .filter(page => !exists(page))
    .map(page => `${page} does not exist`)
}

/** A line of docs/delivery.md's table of failures. */
interface HeldRow {
  readonly ids: readonly string[]
  /** Test files; empty where the page says `not yet`. */
  readonly tests: readonly string[]
  readonly cell: string
}

/** `A4, B1-B3` as single ids. */
function idsOf(cell: string): string[] {
  return cell.split(', ').flatMap(part => {
    const range = /^([A-F])(\d+)-\1(\d+)$/.exec(part)
    if (range === null) return [part]
    const [from, to] = [Number(range[2]), Number(range[3])]
    return Array.from({ length: to - from + 1 }, (_, index) => `${range[1]}${from + index}`)
  })
}

function heldRows(page: string): HeldRow[] {
  return page
    .split('\n')
    .filter(line => /^\| [A-F]\d/.test(line))
    .map(line => line.split('|').map(cell => cell.trim()))
    .map(cells => ({
      ids: idsOf(cells[1]!),
      tests: [...(cells[4] ?? '').matchAll(/`([^`]+)`/g)].map(match => match[1]!),
      cell: cells[4] ?? '',
    }))
}

/** Ids at the start of test titles, `A8, A10: ...`, by file. */
function idsInTitles(files: readonly SourceFile[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const { path, text } of files) {
    if (!path.endsWith('.test.ts')) continue
    const titles = text.matchAll(/^\s*test\(\s*['"`]((?:[A-F]\d+(?:, )?)+): /gm)
    found.set(path, new Set([...titles].flatMap(match => match[1]!.split(', '))))
  }
  return found
}

/**
 * Complaints about docs/delivery.md's table of failures: an id that no title of the named files bears, a file that bears
 * none of its line's ids, an id listed twice, a line that says neither files nor `not yet`, and ids of titles that no line lists as held.
 */
export function heldByComplaints(files: readonly SourceFile[], page: string): string[] {
  const titles = idsInTitles(files)
  const rows = heldRows(page)
  const listed = rows.flatMap(({ ids }) => ids)
  const complaints = listed
    .filter((id, index) => listed.indexOf(id) !== index)
    .map(id => `docs/delivery.md lists ${id} twice`)
  for (const { ids, tests, cell } of rows) {
    if (tests.length === 0 && cell !== 'not yet') {
      complaints.push(`docs/delivery.md says neither which tests hold ${ids.join(', ')} nor "not yet"`)
    }
    for (const id of tests.length === 0 ? [] : ids) {
      if (!tests.some(path => titles.get(path)?.has(id)))
        complaints.push(`docs/delivery.md: no title of ${tests.join(', ')} begins with ${id}`)
    }
    for (const path of tests) {
      if (!ids.some(id => titles.get(path)?.has(id)))
        complaints.push(`docs/delivery.md: ${path} holds none of ${ids.join(', ')}`)
    }
  }
  for (const [path, ids] of titles) {
    for (const id of ids) {
      if (!rows.some(row => row.ids.includes(id) && row.tests.length > 0))
        complaints.push(`${path} bears ${id}, and docs/delivery.md does not say that a test holds it`)
    }
  }
  return complaints
}
