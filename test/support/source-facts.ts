/**
 * What the rules want to know of a source file: its imports (type imports and dynamic ones too),
 * exports, string literals, test titles and failpoints. Read from tokens (source-tokens.ts); judged
 * by architecture-rules.ts and documentation.test.ts.
 */
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { dirname, join, posix, sep } from 'node:path'
import { type Token, tokenize } from './source-tokens.ts'

/** The project's root folder. */
export const ROOT = join(import.meta.dirname, '..', '..')

/** A source file, its path relative to the root with forward slashes. */
export interface SourceFile {
  readonly path: string
  readonly text: string
  readonly tokens: readonly Token[]
}

/** One import, export-from, `import()` or `import('...')` type. */
export interface ImportFact {
  readonly from: string
  /** As written. */
  readonly specifier: string
  /** Path from the root when relative, else null. */
  readonly target: string | null
  /** Package name (`pg`, `@duckdb/node-api`) when bare, else null; null for Node's own modules. */
  readonly package: string | null
  /** Names between the braces, by their exported name. */
  readonly names: readonly string[]
  readonly line: number
}

const FOLDERS = ['bin', 'demo', 'jobs', 'mappings', 'reconcile', 'lib', 'environments', 'test', 'bench']

/** A source file made of text: the rules are tried on planted ones. */
export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, tokens: tokenize(text) }
}

/** Every source file of the project; fixtures, generated and refused-on-purpose files left out. */
export async function projectSources(): Promise<SourceFile[]> {
  const paths = ['jobs.config.ts']
  for await (const path of glob(
    FOLDERS.map(folder => `${folder}/**/*.ts`),
    { cwd: ROOT },
  )) {
    const forward = path.split(sep).join('/')
    if (!forward.startsWith('test/types/refused/')) paths.push(forward)
  }
  const files: SourceFile[] = []
  for (const path of paths.sort()) {
    let text: string
    try {
      text = readFileSync(join(ROOT, path), 'utf8')
    } catch {
      continue
    }
    files.push(sourceFile(path, text))
  }
  return files
}

/** All imports of a file, in order. A computed `import()` is given with the specifier `(computed)`. */
export function importsOf(file: SourceFile): ImportFact[] {
  const code = file.tokens.filter(token => token.kind !== 'comment')
  const facts: ImportFact[] = []
  for (let i = 0; i < code.length; i += 1) {
    const token = code[i]!
    if (token.kind !== 'word' || code[i - 1]?.text === '.') continue
    if (token.text === 'import' && code[i + 1]?.text === '(') {
      facts.push(fact(file, code[i + 2]?.value ?? '(computed)', [], token.line))
    } else if ((token.text === 'import' || token.text === 'export') && startsStatement(code, i)) {
      const found = clause(code, i + 1, token.text === 'import')
      if (found !== null) facts.push(fact(file, found.specifier, found.names, token.line))
    }
  }
  return facts
}

/** `import` and `export` are statements unless they are a property's name or `import.meta`. */
function startsStatement(code: readonly Token[], i: number): boolean {
  const after = code[i + 1]?.text
  return after !== ':' && after !== '.' && after !== ',' && after !== '?' && after !== ')'
}

function clause(
  code: readonly Token[],
  start: number,
  isImport: boolean,
): { specifier: string; names: string[] } | null {
  const names: string[] = []
  let braces = false
  if (isImport && code[start]?.kind === 'string') return { specifier: code[start]!.value!, names }
  // Between the keyword and `from` stand only names, commas, braces, * and `as`: anything else is a declaration.
  for (let i = start; i < code.length; i += 1) {
    const { kind, text } = code[i]!
    const next = code[i + 1]
    if (text === 'from' && next?.kind === 'string') return { specifier: next.value!, names }
    if (text === '{') braces = true
    if (!braces && (text === 'default' || (text !== 'type' && DECLARES.has(text)))) return null
    const isName = braces && kind === 'word' && text !== 'as' && code[i - 1]?.text !== 'as'
    if (isName && [',', '}', 'as'].includes(next?.text ?? '')) names.push(text)
    if (kind !== 'word' && kind !== 'string' && !'{},*'.includes(text)) return null
  }
  return null
}

function fact(file: SourceFile, specifier: string, names: readonly string[], line: number): ImportFact {
  const relative = specifier.startsWith('.')
  const bare = !relative && !specifier.startsWith('node:') && specifier !== '(computed)'
  const parts = specifier.split('/')
  return {
    from: file.path,
    specifier,
    target: relative ? posix.normalize(posix.join(dirname(file.path), specifier)) : null,
    package: bare ? parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/') : null,
    names,
    line,
  }
}

/** An exported declaration and whether a docstring of its own stands right before it. */
export interface ExportFact {
  readonly name: string
  readonly documented: boolean
  readonly line: number
}

const DECLARES = new Set([
  'const',
  'let',
  'var',
  'function',
  'class',
  'interface',
  'type',
  'abstract',
  'async',
  'declare',
  'namespace',
  'enum',
])

/** Declarations exported by name; of an overloaded function the first signature. The file's header is no docstring. */
export function exportsOf(file: SourceFile): ExportFact[] {
  const facts = new Map<string, ExportFact>()
  file.tokens.forEach((token, i) => {
    if (token.kind !== 'word' || token.text !== 'export') return
    let at = i + 1
    if (!DECLARES.has(file.tokens[at]?.text ?? '')) return
    // `export type { X } from` and `export type * from` declare nothing here.
    if (file.tokens[at]!.text === 'type' && '{*'.includes(file.tokens[at + 1]?.text ?? '')) return
    while (DECLARES.has(file.tokens[at]?.text ?? '') || file.tokens[at]?.text === '*') at += 1
    const name = file.tokens[at]?.text ?? '(unnamed)'
    const before = file.tokens[i - 1]
    // `type State = (typeof STATES)[number]` is documented by its list.
    const ofList = file.tokens[at + 1]?.text === '=' && file.tokens[at + 3]?.text === 'typeof'
    // Tables, mappings and jobs state their `doc` as data: the pages are made of it.
    const ofDefine = file.tokens[at + 1]?.text === '=' && /^define[A-Z]/.test(file.tokens[at + 2]?.text ?? '')
    const documented =
      ofList ||
      ofDefine ||
      (before?.kind === 'comment' && before.text.startsWith('/**') && i - 1 > headerIndex(file))
    if (!facts.has(name)) facts.set(name, { name, documented, line: token.line })
  })
  return [...facts.values()]
}

/** Position of the header comment among the tokens: the first token, or the second after `#!`. */
function headerIndex(file: SourceFile): number {
  return file.tokens[0]?.text.startsWith('#!') === true ? 1 : 0
}

/** The comment that opens the file (after `#!`), null when it opens with something else. */
export function headerOf(file: SourceFile): string | null {
  const token = file.tokens[headerIndex(file)]
  return token?.kind === 'comment' ? token.text : null
}

/** A call: its first argument where that is a plain text, and what it was called on (`t` in `t.test`). */
export interface CallFact {
  readonly argument: string | null
  readonly receiver: string | null
  readonly line: number
}

/** Calls of the named functions, also through `.only`, `.skip` and `.todo`. */
export function callsOf(file: SourceFile, names: readonly string[]): CallFact[] {
  const code = file.tokens.filter(token => token.kind !== 'comment')
  const calls: CallFact[] = []
  code.forEach((token, i) => {
    if (token.kind !== 'word' || !names.includes(token.text)) return
    if (code[i - 1]?.text === 'function') return
    let at = i + 1
    while (code[at]?.text === '.' && ['only', 'skip', 'todo'].includes(code[at + 1]?.text ?? '')) at += 2
    if (code[at]?.text !== '(') return
    const first = code[at + 1]
    const plain = first !== undefined && [',', ')'].includes(code[at + 2]?.text ?? '')
    const receiver = code[i - 1]?.text === '.' ? (code[i - 2]?.text ?? null) : null
    calls.push({ argument: plain ? first.value : null, receiver, line: token.line })
  })
  return calls
}
