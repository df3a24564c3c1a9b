/**
 * Splits TypeScript source into tokens, exactly enough for the rules about our own source: comments,
 * strings, templates and regular expressions are told apart from code, so that no rule is fooled by
 * text inside them. What the tokens mean (imports, exports, titles) is source-facts.ts.
 */

/** One piece of source. `text` is as written; of strings and templates without expressions `value` is the content. */
export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'template' | 'regex' | 'comment' | 'punctuation'
  readonly text: string
  /** Content of a string or of a template without expressions; null for all else. */
  readonly value: string | null
  /** From 1. */
  readonly line: number
}

const WORD = /[\p{ID_Start}$_#@][\p{ID_Continue}$\u200c\u200d]*/uy
const NUMBER = /\d[\w.]*/y
const SPACE = /\s+/y
const LINE_COMMENT = /(?:\/\/|#!).*/y
const BLOCK_COMMENT = /\/\*[\s\S]*?\*\//y
const QUOTED = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y

/** After these words a slash begins a regular expression; after any other word it divides. */
const BEFORE_REGEX = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'new',
  'await',
  'yield',
  'else',
  'do',
])

/**
 * The tokens of a source text, in order. Expressions inside a template are tokens after the template's own.
 * @throws Error naming the line of text that is no token: a rule must not pass because it read nothing.
 */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  scan(source, 0, 1, tokens, false)
  return tokens
}

/** Scans until the end, or, inside a template, to the brace that closes its expression. */
function scan(source: string, from: number, firstLine: number, tokens: Token[], inTemplate: boolean): number {
  let at = from
  let line = firstLine
  let depth = 0
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0] ?? null
  }
  while (at < source.length) {
    const character = source[at]!
    let text = take(SPACE)
    if (text === null && character === '`') {
      const end = scanTemplate(source, at, line, tokens)
      text = source.slice(at, end)
    } else if (text === null) {
      const token = next(source, at, line, take, tokens)
      if (inTemplate && token.text === '}' && depth === 0) return at + 1
      if (token.text === '{') depth += 1
      if (token.text === '}') depth -= 1
      tokens.push(token)
      text = token.text
    }
    at += text.length
    for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) line += 1
  }
  return at
}

function next(
  source: string,
  at: number,
  line: number,
  take: (pattern: RegExp) => string | null,
  before: readonly Token[],
): Token {
  const make = (kind: Token['kind'], text: string, value: string | null = null): Token => ({
    kind,
    text,
    value,
    line,
  })
  const comment =
    take(BLOCK_COMMENT) ??
    (source.startsWith('//', at) || (at === 0 && source.startsWith('#!')) ? take(LINE_COMMENT) : null)
  if (comment !== null) return make('comment', comment)
  const quoted = take(QUOTED)
  if (quoted !== null) return make('string', quoted, contentOf(quoted.slice(1, -1)))
  if (source[at] === '/' && regexMayStart(before)) {
    const regex = take(REGEX)
    if (regex !== null) return make('regex', regex)
  }
  const word = take(WORD)
  if (word !== null) return make('word', word)
  const number = take(NUMBER)
  if (number !== null) return make('number', number)
  if (/[\w'"`\\]/.test(source[at]!))
    throw new Error(`line ${line} can't be read from ${JSON.stringify(source.slice(at, at + 30))}`)
  return make('punctuation', source[at]!)
}

function scanTemplate(source: string, start: number, line: number, tokens: Token[]): number {
  const inner: Token[] = []
  let at = start + 1
  let content = ''
  while (source[at] !== '`') {
    if (at >= source.length) throw new Error(`the template that begins on line ${line} does not end`)
    if (source[at] === '\\') {
      content += source.slice(at, at + 2)
      at += 2
    } else if (source.startsWith('${', at)) {
      const lines = source.slice(start, at).split('\n').length - 1
      at = scan(source, at + 2, line + lines, inner, true)
    } else {
      content += source[at]
      at += 1
    }
  }
  const text = source.slice(start, at + 1)
  tokens.push(
    { kind: 'template', text, value: inner.length === 0 ? contentOf(content) : null, line },
    ...inner,
  )
  return at + 1
}

function regexMayStart(before: readonly Token[]): boolean {
  const code = before.slice(-4).filter(token => token.kind !== 'comment')
  const last = code.at(-1)
  if (last === undefined) return true
  // `value! / 2`: the mark after a value, unlike `!/x/`, leaves a value.
  if (last.text === '!' && code.length > 1) return regexMayStart(code.slice(0, -1))
  if (last.kind === 'word') return BEFORE_REGEX.has(last.text)
  return last.kind === 'punctuation' && !')]}'.includes(last.text)
}

function contentOf(content: string): string {
  return content.replace(/\\(?:\n|([\s\S]))/g, (_, character: string | undefined) => character ?? '')
}
