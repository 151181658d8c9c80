import { matches, pathOf } from './match.ts'
import type { View } from './match.ts'
import { placesOf } from './places.ts'
import { isAlways } from './rule.ts'
import type { Rule } from './rule.ts'

/** Something that is found by a condition; of several the one with the lowest `order`. */
export type Ordered = { readonly order: number }

export type PathIndex<T extends Ordered> = {
  /** To be called in ascending order. */
  add (condition: Rule, item: T): void
  /** The item with the lowest order whose condition is true, when that order is lower than that of `found`; else `found`. */
  find (view: View, found: T | undefined): T | undefined
  /** The item that every request finds, when there is one. */
  readonly only: T | undefined
}

type Entry<T> = { readonly item: T, readonly rest: Rule | undefined }

/** A node of a trie whose edges are texts: what begins with the path so far, and what is that path. */
type Node<T> = { text: string, children: Map<number, Node<T>> | undefined, prefixed: Entry<T>[], exact: Entry<T>[] }

/** Finds among conditions by the path that they ask for, in time that grows with the length of the path and not with their number. */
export function createPathIndex<T extends Ordered> (): PathIndex<T> {
  const root = createNode<T>('')
  let only: T | undefined
  let isEmpty = true

  function add (condition: Rule, item: T) {
    if (isEmpty && isAlways(condition)) only = item
    isEmpty = false
    for (const { path, isExact, rest } of placesOf(condition)) {
      const node = nodeAt(root, path)
      const entries = isExact ? node.exact : node.prefixed
      entries.push({ item, rest: isAlways(rest) ? undefined : rest })
    }
  }

  function find (view: View, found: T | undefined): T | undefined {
    let best = firstOf(root.prefixed, view, found)
    if (root.children === undefined) return best
    const path = pathOf(view)
    let node = root
    for (let length = 0; length < path.length;) {
      const child = node.children?.get(path.charCodeAt(length))
      if (child === undefined || !path.startsWith(child.text, length)) return best
      length += child.text.length
      best = firstOf(child.prefixed, view, best)
      node = child
    }
    return firstOf(node.exact, view, best)
  }

  return { add, find, get only () { return only } }
}

function createNode<T> (text: string): Node<T> {
  return { text, children: undefined, prefixed: [], exact: [] }
}

function firstOf<T extends Ordered> (entries: readonly Entry<T>[], view: View, found: T | undefined): T | undefined {
  for (const { item, rest } of entries) {
    if (found !== undefined && item.order >= found.order) return found
    if (rest === undefined || matches(rest, view)) return item
  }
  return found
}

function nodeAt<T> (root: Node<T>, path: string): Node<T> {
  let node = root
  for (let length = 0; length < path.length;) {
    const children = (node.children ??= new Map())
    const next = children.get(path.charCodeAt(length))
    if (next === undefined) {
      const leaf = createNode<T>(path.slice(length))
      children.set(path.charCodeAt(length), leaf)
      return leaf
    }
    const shared = sharedLength(next.text, path, length)
    node = shared === next.text.length ? next : split(children, next, shared)
    length += shared
  }
  return node
}

function sharedLength (text: string, path: string, start: number): number {
  let length = 0
  while (length < text.length && text[length] === path[start + length]) length++
  return length
}

/** Puts a node for the first characters above one. */
function split<T> (siblings: Map<number, Node<T>>, node: Node<T>, length: number): Node<T> {
  const upper = createNode<T>(node.text.slice(0, length))
  siblings.set(upper.text.charCodeAt(0), upper)
  node.text = node.text.slice(length)
  upper.children = new Map([[node.text.charCodeAt(0), node]])
  return upper
}
