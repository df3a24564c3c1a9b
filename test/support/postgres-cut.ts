/**
 * A relay in front of the test's Postgres that forwards everything until the client sends COMMIT,
 * and then lets the server have it but never the client the answer: A11 of the failure catalogue.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** When the connection is cut, seen from the server. */
export type Cut = 'after-commit' | 'before-commit'

/** A relay; its url leads through it. `cut` becomes true with the first COMMIT; later connections pass. */
export interface Relay {
  readonly url: string
  readonly cut: () => boolean
  close(): Promise<void>
}

/** Starts a relay before the server of a URL of test/support/postgres.ts. */
export async function relayTo(url: string, when: Cut): Promise<Relay> {
  const behind = new URL(url)
  const folder = await mkdtemp(join(tmpdir(), 'tallyman-relay-'))
  const sockets = new Set<Socket>()
  let cut = false
  const server = createServer(client => {
    const upstream = connect(join(behind.searchParams.get('host')!, '.s.PGSQL.5432'))
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('data', data => {
      if (!cut && data.includes('COMMIT\0')) {
        cut = true
        upstream.removeAllListeners('data')
        // The answer is swallowed; the server's side stays open until it has answered.
        upstream.on('data', () => {
          upstream.destroy()
        })
        if (when === 'after-commit') upstream.write(data)
        else upstream.destroy()
        client.destroy()
        return
      }
      upstream.write(data)
    })
    upstream.on('data', data => client.write(data))
    client.on('close', () => {
      if (!cut) upstream.destroy()
    })
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>(resolve => server.listen(join(folder, '.s.PGSQL.5432'), resolve))
  const through = new URL(url)
  through.searchParams.set('host', folder)
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
    await rm(folder, { recursive: true, force: true })
  }
  return { url: through.href, cut: () => cut, close }
}
