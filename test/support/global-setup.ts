/**
 * Runs once before a whole suite: starts the embedded Postgres that all test files share and tells
 * them of it through the environment. A single file run by hand goes without this and starts its own;
 * both ways are in postgres.ts.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

interface SharedServer {
  stop(): Promise<void>
}

let server: SharedServer | null = null

/** Called by node --test before the first file; what it puts into process.env reaches every test. */
export async function globalSetup(): Promise<void> {
  if (process.env.TALLYMAN_TEST_POSTGRES === 'none') return
  const launcher = join(import.meta.dirname, 'postgres.ts')
  if (!existsSync(launcher)) return
  const { startSharedServer } = (await import(launcher)) as { startSharedServer: () => Promise<SharedServer> }
  server = await startSharedServer()
}

/** Called after the last file, also when tests failed. */
export async function globalTeardown(): Promise<void> {
  await server?.stop()
}
