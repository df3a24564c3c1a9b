/**
 * The name under which a loaded file is put away at its source, and how a listing knows such a name
 * again: a file that a crash left there under it must not be fetched as if it were new.
 */

/** `SHIP_01.csv` becomes `SHIP_01.csv.0f3a9c1b22d4e5f6.tallyman`; its hash makes it ours, `count` free. */
export function asideName(
  file: { readonly remoteName: string; readonly rawSha256: string },
  count: number,
): string {
  const number = count === 1 ? '' : `-${count}`
  return `${file.remoteName}.${file.rawSha256.slice(0, 16)}${number}.tallyman`
}

/** Whether a name is one that we gave. */
export function isAsideName(name: string): boolean {
  return /\.[0-9a-f]{16}(-\d+)?\.tallyman$/.test(name)
}
