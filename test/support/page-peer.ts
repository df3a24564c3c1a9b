/**
 * An API over HTTP that serves lists in pages, with the faults that such APIs show: for tests of sides that are
 * read over HTTP. What is asked and answered is in the hands of the test.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'

/** An answer; `drop`: the connection ends in the middle of the body. */
export interface PageAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
  readonly drop?: boolean
}

/** A running peer. */
export interface PagePeer {
  readonly baseUrl: string
  /** Path and query of each request, in order. */
  readonly asked: string[]
  readonly tokens: (string | undefined)[]
}

/** Starts it; `answer` is given the address asked for and the number of the request, from 1. */
export async function startPagePeer(answer: (url: URL, request: number) => PageAnswer): Promise<PagePeer> {
  const asked: string[] = []
  const tokens: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(request.url!)
    tokens.push(request.headers.authorization)
    const { status = 200, headers = {}, body, drop } = answer(new URL(request.url!, 'http://x'), asked.length)
    response.writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(body)) })
    if (drop !== true) response.end(body)
    else response.write(body.slice(0, body.length / 2), () => request.socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, tokens }
}
