/**
 * Runs once before a whole suite: starts the embedded Postgres that all test files share and tells
 * them of it through the environment. A file run alone goes without this and starts its own server;
 * both ways are in postgres.ts. The quick suite needs none.
 */
import { startTestServer, TEST_POSTGRES } from './postgres.ts'

let server: Awaited<ReturnType<typeof startTestServer>> | null = null

/** Called by node --test before the first file; what it puts into process.env reaches every test. */
export async function globalSetup(): Promise<void> {
  if (process.env.TALLYMAN_TEST_SUITE === 'quick') return
  server = await startTestServer()
  process.env[TEST_POSTGRES] = server.url
}

/** Called after the last file, also when tests failed. */
export async function globalTeardown(): Promise<void> {
  await server?.stop()
}
