/**
 * Compiles an XmlSpec's paths into one tree of the elements that matter: which are records, which
 * hold values, and in whose frame each value is kept. The tree is walked in xml-walk.ts.
 *
 * A column's path is relative to its record: `Amt`, `Amt/@Ccy`, `@time`, `../Id`,
 * `../../GrpHdr/MsgId`, `Rmt/Ustrd[]` (a list), `.` (own text). A step is a local name of any
 * namespace, or `prefix:name` with a declared prefix.
 */
import type { XmlSpec } from '../model/job.ts'

/** A value to be taken where an element or attribute stands. */
export interface Capture {
  /** The element in whose frame the value is kept: the record, an ancestor, or the document. */
  readonly anchor: PathNode
  readonly slot: number
  /** As written in the spec, for messages. */
  readonly path: string
  readonly list: boolean
  /** Null: the element's own text. */
  readonly attribute: { readonly local: string; readonly uri: string | null } | null
}

/** One element by its path from the root. At most one such element is open at any time. */
export interface PathNode {
  readonly parent: PathNode | null
  /** Children by `local`, each with the namespace it must have, null for any. */
  readonly children: Map<string, { readonly uri: string | null; readonly node: PathNode }[]>
  readonly captures: Capture[]
  /** Slots of its frame; zero when nothing is kept by it. */
  slots: Capture[]
  /** Kinds of records that this element is. */
  readonly records: RecordPlan[]
}

/** How a kind of record is put together. */
export interface RecordPlan {
  readonly kind: string
  readonly node: PathNode
  readonly columns: readonly string[]
  readonly captures: readonly Capture[]
}

/** A compiled spec. */
export interface PathPlan {
  readonly root: PathNode
  readonly records: readonly RecordPlan[]
  readonly controls: ReadonlyMap<string, Capture>
  /** What in the paths can't be meant; empty for a sound spec. */
  readonly complaints: string[]
}

const STEP = /^(?:([\p{L}_][\p{L}\p{N}_.-]*):)?([\p{L}_][\p{L}\p{N}_.\u00b7-]*)$/u

/** Compiles a spec; columns are those it names and those `needed` of a kind. */
export function compilePaths(spec: XmlSpec, needed: (kind: string) => readonly string[]): PathPlan {
  const compiler = new Compiler(spec)
  const records = Object.entries(spec.records).map(([kind, record]) => {
    const columns = [...new Set([...record.columns, ...needed(kind)])]
    return compiler.record(kind, record.path, columns)
  })
  const controls = new Map(
    Object.entries(spec.controls).map(
      ([name, path]) => [name, compiler.capture(compiler.root, path)] as const,
    ),
  )
  return { root: compiler.root, records, controls, complaints: compiler.complaints }
}

function makeNode(parent: PathNode | null): PathNode {
  return { parent, children: new Map(), captures: [], slots: [], records: [] }
}

class Compiler {
  readonly root = makeNode(null)
  readonly complaints: string[] = []
  readonly #spec: XmlSpec

  constructor(spec: XmlSpec) {
    this.#spec = spec
  }

  record(kind: string, path: string, columns: readonly string[]): RecordPlan {
    if (path === '') this.complaints.push(`the path of ${kind} is empty`)
    const node = this.#descend(this.root, path.split('/'), path)
    const captures = columns.map(column => this.capture(node, column))
    const plan = { kind, node, columns, captures }
    node.records.push(plan)
    return plan
  }

  /** The capture of a relative path, made once however often it is named. */
  capture(from: PathNode, path: string): Capture {
    const list = path.endsWith('[]')
    const steps = (list ? path.slice(0, -2) : path).split('/')
    let anchor = from
    while (steps[0] === '..') {
      steps.shift()
      if (anchor.parent === null || anchor.parent === this.root)
        this.complaints.push(`${path} leads above the root element`)
      anchor = anchor.parent ?? anchor
    }
    if (steps.length > 1 && steps[0] === '.') steps.shift()
    const last = steps.at(-1) ?? '.'
    const attribute = last.startsWith('@') ? this.#name(last.slice(1), path) : null
    if (attribute !== null || last === '.') steps.pop()
    const target = this.#descend(anchor, steps, path)
    const same = anchor.slots.find(
      known =>
        target.captures.includes(known) &&
        known.list === list &&
        known.attribute?.local === attribute?.local &&
        known.attribute?.uri === attribute?.uri,
    )
    if (same !== undefined) return same
    const capture: Capture = { anchor, slot: anchor.slots.length, path, list, attribute }
    anchor.slots.push(capture)
    target.captures.push(capture)
    return capture
  }

  #descend(from: PathNode, steps: readonly string[], path: string): PathNode {
    let node = from
    for (const step of steps) {
      const { local, uri } = this.#name(step, path)
      const known = node.children.get(local) ?? []
      let child = known.find(other => other.uri === uri)
      if (child === undefined) {
        child = { uri, node: makeNode(node) }
        node.children.set(local, [...known, child])
      }
      node = child.node
    }
    return node
  }

  #name(step: string, path: string): { local: string; uri: string | null } {
    const match = STEP.exec(step)
    if (match === null) {
      this.complaints.push(`${JSON.stringify(step)} in path ${JSON.stringify(path)} is no element name`)
      return { local: step, uri: null }
    }
    const [, prefix, local] = match
    if (prefix === undefined) return { local: local!, uri: null }
    if (!Object.hasOwn(this.#spec.namespaces, prefix)) {
      this.complaints.push(
        `the prefix ${prefix} in path ${JSON.stringify(path)} is not declared in namespaces`,
      )
    }
    return { local: local!, uri: this.#spec.namespaces[prefix] ?? '' }
  }
}
