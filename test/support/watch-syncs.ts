/**
 * Sees each fsync that this process asks for through node:fs/promises, on its way to the disk: nothing
 * else shows, short of pulling the plug, that bytes were synced before they got their name.
 */
import { fstatSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import type { TestContext } from 'node:test'

/** Calls `onSync` with the inode before each fsync, until the test ends; the fsync itself is made. */
export async function watchSyncs(t: TestContext, onSync: (inode: number) => void): Promise<void> {
  const handle = await open(tmpdir(), 'r')
  const prototype = Object.getPrototypeOf(handle) as FileHandle
  await handle.close()
  const sync = Reflect.get(prototype, 'sync') as (this: FileHandle) => Promise<void>
  t.mock.method(prototype, 'sync', function (this: FileHandle) {
    onSync(fstatSync(this.fd).ino)
    return sync.call(this)
  })
}
