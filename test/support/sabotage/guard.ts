/**
 * What a guard is to the sabotage run: a place in the source, the text that removes it, and the test
 * that must then fail. The guards stand in the other files of this folder; test/support/sabotage.ts
 * removes one after the other in a copy of the tree.
 */

/** A place in the source where a guard stands. */
export interface Post {
  readonly file: string
  /** Stands exactly once in that file. */
  readonly guard: string
  /** Stands there instead while the guard is gone; still runs, so that only the guard is missing. */
  readonly gone: string
}

/** One guard. */
export interface Guard extends Post {
  /** What it keeps from happening, in a few words. */
  readonly against: string
  /** Other guards behind it that would do its work: gone with it, since nothing shows that one of them is. */
  readonly behind?: readonly Post[]
  /** The test file that is to fail then. */
  readonly test: string
  /** How the title of its test begins. */
  readonly title: string
}

/** Where a text stands in another; `once` is all that a guard may say. */
export function occurs(text: string, part: string): 'never' | 'once' | 'often' {
  const first = part === '' ? -1 : text.indexOf(part)
  if (first < 0) return 'never'
  return text.indexOf(part, first + 1) < 0 ? 'once' : 'often'
}

/** What is wrong with a guard, given how to read a file of the tree (null when it is not there); null when nothing is. */
export function complaintAbout(guard: Guard, read: (path: string) => string | null): string | null {
  for (const post of [guard, ...(guard.behind ?? [])]) {
    const source = read(post.file)
    if (source === null) return `${post.file} does not exist (guard against: ${guard.against})`
    const found = occurs(source, post.guard)
    if (found !== 'once')
      return `${post.file} holds ${found}: ${post.guard} (guard against: ${guard.against})`
  }
  const tests = read(guard.test)
  if (tests === null) return `${guard.test} does not exist (guard against: ${guard.against})`
  const titled = ["'", '`', '"'].some(quote => tests.includes(`test(${quote}${guard.title}`))
  return titled ? null : `${guard.test} has no test whose title begins with: ${guard.title}`
}
