/**
 * Where a document stands in the tree of wanted paths: a small automaton that is built while it
 * runs, one state per set of tree nodes that an open element matches. Elements below an unwanted one
 * cost one counter. The tree is made in xml-paths.ts.
 */
import { localName } from '../format/xml-read.ts'
import type { Capture, PathNode } from './xml-paths.ts'

/** All that matters of an open element. */
export interface WalkState {
  readonly nodes: readonly PathNode[]
  /** Captures of this element's own text, and of its attributes. */
  readonly texts: readonly Capture[]
  readonly attributes: readonly Capture[]
  /** Nodes among `nodes` that keep values in a frame of their own, or are records. */
  readonly anchors: readonly PathNode[]
  readonly next: Map<string, WalkState | null>
}

/** Unwanted names remembered by a state; a document with more distinct ones only gets slower. */
const REMEMBERED_NAMES = 1000

/** A state for some nodes. */
export function walkState(nodes: readonly PathNode[]): WalkState {
  const captures = nodes.flatMap(node => node.captures)
  return {
    nodes,
    texts: captures.filter(capture => capture.attribute === null),
    attributes: captures.filter(capture => capture.attribute !== null),
    anchors: nodes.filter(node => node.slots.length > 0 || node.records.length > 0),
    next: new Map(),
  }
}

/** The state of a child element, null when nothing in it is wanted. */
export function walkInto(state: WalkState, name: string, uri: string): WalkState | null {
  const key = uri === '' ? name : `${name} ${uri}`
  const known = state.next.get(key)
  if (known !== undefined) return known
  const local = localName(name)
  const nodes = state.nodes.flatMap(node =>
    (node.children.get(local) ?? [])
      .filter(child => child.uri === null || child.uri === uri)
      .map(child => child.node),
  )
  const next = nodes.length === 0 ? null : walkState(nodes)
  if (next !== null || state.next.size < REMEMBERED_NAMES) state.next.set(key, next)
  return next
}
