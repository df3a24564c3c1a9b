/**
 * A well-formed XML text to a tree: elements by local name with attributes, own text and line. Knows
 * the five entities and numbers; a DOCTYPE, or anything that does not close, is not read at all.
 */

/** An element. */
export interface Element {
  readonly name: string
  readonly line: number
  readonly attributes: Readonly<Record<string, string>>
  readonly children: Element[]
  text: string
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function plain(text: string): string {
  return text.replace(/&(#x[0-9a-fA-F]+|#\d+|[a-z]+);/g, (whole, name: string) => {
    if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16))
    if (name.startsWith('#')) return String.fromCodePoint(Number(name.slice(1)))
    return ENTITIES[name] ?? whole
  })
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function opened(tag: string, line: number): Element {
  const attributes: Record<string, string> = {}
  for (const [, name, double, single] of tag.matchAll(/\s([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    attributes[local(name!)] = plain(double ?? single ?? '')
  }
  return { name: local(/^[^\s/>]+/.exec(tag)![0]), line, attributes, children: [], text: '' }
}

/** The root element; null when the text is not well formed or declares a DOCTYPE. */
export function xmlRoot(text: string): Element | null {
  const document: Element = { name: '', line: 0, attributes: {}, children: [], text: '' }
  const open: Element[] = [document]
  let line = 1
  const pieces = text.matchAll(
    /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<!|<\/([^\s>]+)\s*>|<((?:[^<>"']|"[^"]*"|'[^']*')+)>|([^<]+)|</g,
  )
  for (const [piece, cdata, closing, opening, characters] of pieces) {
    const top = open.at(-1)!
    if (cdata !== undefined) top.text += cdata
    else if (characters !== undefined) top.text += plain(characters)
    else if (closing !== undefined) {
      if (open.length < 2 || top.name !== local(closing)) return null
      open.pop()
    } else if (opening !== undefined) {
      const element = opened(opening, line)
      top.children.push(element)
      if (!opening.endsWith('/')) open.push(element)
    } else if (piece === '<' || piece === '<!') return null
    line += piece.split('\n').length - 1
  }
  const [root, ...others] = document.children
  if (open.length > 1 || root === undefined || others.length > 0 || document.text.trim() !== '') return null
  return root
}

/** Descendants by a path of local names: `NtryDtls/TxDtls`. */
export function all(element: Element, path: string): Element[] {
  return path
    .split('/')
    .reduce<Element[]>(
      (found, name) => found.flatMap(one => one.children.filter(child => child.name === name)),
      [element],
    )
}
