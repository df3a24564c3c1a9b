/**
 * A relay between a client and a real server that does to the wire what wires do at night: cuts it
 * after byte k, swallows what is sent, flips a bit, sends byte by byte, holds bytes back, loses the
 * answer to one request. Knows no protocol; what a fault means to ours is in the tests that set it.
 *
 *     const proxy = await startWireProxy({ host, port })          // or { path } for a unix socket
 *     proxy.fault = { kind: 'cut', direction: 'to-client', after: 4096, how: 'rst' }
 *     proxy.fault = null                                          // passes everything again
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

/** Which way bytes go. */
export type Direction = 'to-server' | 'to-client'

/** How a cut ends both sides: an orderly end of stream, or a reset. A unix socket knows no reset and just closes. */
export type HowCut = 'fin' | 'rst'

/** What goes wrong. Offsets count a connection's bytes of that direction since the fault was set. */
export type WireFault =
  /** Passes `after` bytes, then ends both sides. Once. */
  | { readonly kind: 'cut'; readonly direction: Direction; readonly after: number; readonly how: HowCut }
  /** Passes `after` bytes of that direction, then nothing more in either, no end either; the connection stays open, also when the fault is gone. */
  | { readonly kind: 'swallow'; readonly direction: Direction; readonly after: number }
  /** Inverts the lowest bit of one byte. Once. */
  | { readonly kind: 'flip'; readonly direction: Direction; readonly at: number }
  /** Passes everything after each side's first `after` bytes in pieces of this many bytes, each in a turn of its own. */
  | { readonly kind: 'pieces'; readonly bytes: number; readonly after: number }
  /** Awaits `until` before each piece of that direction. */
  | { readonly kind: 'delay'; readonly direction: Direction; readonly until: () => Promise<unknown> }
  | LostAnswer

/** A request whose answer never arrives. Once. */
export interface LostAnswer {
  readonly kind: 'lose-answer'
  /** Texts that a client sends on one connection, in this order; with the last one the request is complete. */
  readonly to: readonly [string, ...string[]]
  /** So many requests of this kind, over all connections since the fault was set, are still answered. Default 0. */
  readonly skip?: number
  /** False: the request does not reach the server either. Default true. */
  readonly reaches?: boolean
  /** Awaited before the request is passed on. */
  readonly before?: () => Promise<unknown>
  /** When the client is cut: as soon as the request was passed on, or when its answer comes. Default answered. */
  readonly when?: 'sent' | 'answered'
  /** Bytes of the answer that still arrive. Default 0. */
  readonly pass?: number
  readonly how?: HowCut
}

/** Where the real server listens. */
export type Behind =
  | { readonly host: string; readonly port: number }
  /** A unix socket; the proxy listens under the same name in a folder of its own. */
  | { readonly path: string }

/** A running proxy. */
export interface WireProxy {
  /** For TCP: where to connect instead. */
  readonly host: '127.0.0.1'
  readonly port: number
  /** For a unix socket: the folder in which the proxy's own lies. */
  readonly folder: string
  /** May be set at any time; null passes everything. A fault that happens once sets it to null. */
  fault: WireFault | null
  /** Since the start; `fired` counts faults that happened. */
  readonly counts: Readonly<Record<'connections' | 'open' | 'fired' | Direction, number>>
  /** Resolves when a fault happens after this call. */
  nextFired(): Promise<void>
  /** Resolves when a client sends this text after this call, once it was passed on. */
  nextSent(text: string): Promise<void>
  /** Stops listening and drops all connections. */
  close(): Promise<void>
}

interface Wire {
  readonly client: Socket
  readonly server: Socket
  /** Bytes since the fault below was set. */
  readonly since: Record<Direction, number>
  fault: WireFault | null
  /** Of a lost answer: how many of its texts were sent, and the end of what was sent last. */
  matched: number
  tail: string
  /** `passing`, or what became of it. */
  state: 'passing' | 'cut' | 'swallowed' | 'awaiting-answer'
}

/** Starts a proxy before a server. */
export async function startWireProxy(behind: Behind): Promise<WireProxy> {
  const proxy = new Relay(behind)
  await proxy.listen()
  return proxy
}

/** The same database through a proxy: its URL, and the proxy. */
export async function proxyBefore(url: string): Promise<{ readonly url: string; readonly proxy: WireProxy }> {
  const through = new URL(url)
  const folder = through.searchParams.get('host')
  const port = through.port === '' ? '5432' : through.port
  if (folder === null) {
    const proxy = await startWireProxy({ host: through.hostname, port: Number(port) })
    through.hostname = proxy.host
    through.port = String(proxy.port)
    return { url: through.href, proxy }
  }
  const proxy = await startWireProxy({ path: join(folder, `.s.PGSQL.${port}`) })
  through.searchParams.set('host', proxy.folder)
  return { url: through.href, proxy }
}

class Relay implements WireProxy {
  readonly host = '127.0.0.1'
  port = 0
  folder = ''
  readonly counts = { connections: 0, open: 0, fired: 0, 'to-server': 0, 'to-client': 0 }
  readonly #behind: Behind
  readonly #wires = new Set<Wire>()
  readonly #listener: Server
  readonly #onFired: (() => void)[] = []
  #onSent: { readonly text: string; tail: string; readonly done: () => void }[] = []
  #fault: WireFault | null = null
  /** Requests of a lost answer's kind that were answered all the same. */
  #skipped = 0

  constructor(behind: Behind) {
    this.#behind = behind
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true }, client => this.#accept(client))
  }

  get fault(): WireFault | null {
    return this.#fault
  }

  set fault(fault: WireFault | null) {
    this.#fault = fault
    this.#skipped = 0
    for (const wire of this.#wires) forget(wire, fault)
  }

  async listen(): Promise<void> {
    if ('path' in this.#behind) {
      this.folder = await mkdtemp(join(tmpdir(), 'tallyman-wire-'))
      const path = join(this.folder, basename(this.#behind.path))
      await new Promise<void>(resolve => this.#listener.listen(path, resolve))
      return
    }
    await new Promise<void>(resolve => this.#listener.listen(0, this.host, resolve))
    this.port = (this.#listener.address() as { port: number }).port
  }

  nextFired(): Promise<void> {
    return new Promise(resolve => this.#onFired.push(resolve))
  }

  nextSent(text: string): Promise<void> {
    return new Promise(done => this.#onSent.push({ text, tail: '', done }))
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.#listener.close(resolve))
    for (const wire of this.#wires) destroyBoth(wire)
    await closed
    if (this.folder !== '') await rm(this.folder, { recursive: true, force: true })
  }

  #accept(client: Socket): void {
    const server =
      'path' in this.#behind
        ? connect({ path: this.#behind.path, allowHalfOpen: true })
        : connect({ ...this.#behind, allowHalfOpen: true, noDelay: true })
    const since = { 'to-server': 0, 'to-client': 0 }
    const wire: Wire = { client, server, since, fault: this.#fault, matched: 0, tail: '', state: 'passing' }
    this.#wires.add(wire)
    this.counts.connections += 1
    this.counts.open += 1
    client.once('close', () => {
      this.counts.open -= 1
    })
    for (const socket of [client, server]) {
      // Cut connections are what this file is about.
      socket.on('error', () => {})
      socket.once('close', () => {
        if (client.destroyed && server.destroyed) this.#wires.delete(wire)
      })
    }
    this.#pump(wire, client, server, 'to-server').catch(() => destroyBoth(wire))
    this.#pump(wire, server, client, 'to-client').catch(() => destroyBoth(wire))
  }

  /** Carries one direction to its end. */
  async #pump(wire: Wire, from: Socket, to: Socket, direction: Direction): Promise<void> {
    for await (const piece of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (wire.state === 'passing') await this.#carry(wire, to, direction, piece)
      else if (wire.state === 'awaiting-answer' && direction === 'to-client') await this.#answer(wire, piece)
    }
    // A dead wire tells neither side that the other has left.
    if (wire.state === 'swallowed') return
    // A client whose answer is to be lost may leave first; the server is to finish all the same.
    if (wire.state !== 'awaiting-answer' || direction === 'to-client') to.end()
  }

  async #carry(wire: Wire, to: Socket, direction: Direction, piece: Buffer): Promise<void> {
    const { fault } = wire
    const at = wire.since[direction]
    wire.since[direction] += piece.length
    if (fault === null) return this.#pass(to, direction, piece)
    if (fault.kind === 'pieces') {
      if (at < fault.after) return this.#pass(to, direction, piece)
      for (let from = 0; from < piece.length; from += fault.bytes) {
        await this.#pass(to, direction, piece.subarray(from, from + fault.bytes))
        // Two turns, so that a reader in this process sees the piece before the next one joins it.
        for (let turn = 0; turn < 2; turn += 1) await new Promise(setImmediate)
      }
      return
    }
    if (fault.kind === 'lose-answer') {
      if (direction === 'to-client') return this.#pass(to, direction, piece)
      return this.#request(wire, fault, piece)
    }
    if (fault.direction !== direction) return this.#pass(to, direction, piece)
    switch (fault.kind) {
      case 'delay':
        await fault.until()
        return this.#pass(to, direction, piece)
      case 'flip':
        if (fault.at >= at && fault.at < at + piece.length) {
          piece[fault.at - at]! ^= 1
          this.#happened(fault)
        }
        return this.#pass(to, direction, piece)
      default:
        if (at + piece.length <= fault.after) return this.#pass(to, direction, piece)
        await this.#pass(to, direction, piece.subarray(0, fault.after - at))
        if (fault.kind === 'cut') cut(wire, fault.how)
        else wire.state = 'swallowed'
        this.#happened(fault)
    }
  }

  /** Passes requests on and looks for the one whose answer is to be lost. */
  async #request(wire: Wire, fault: LostAnswer, piece: Buffer): Promise<void> {
    let sent = wire.tail + piece.toString('latin1')
    for (let text = fault.to[wire.matched]; text !== undefined; text = fault.to[wire.matched]) {
      const found = sent.indexOf(text)
      if (found < 0) break
      sent = sent.slice(found + text.length)
      wire.matched += 1
    }
    if (wire.matched === fault.to.length && this.#skipped < (fault.skip ?? 0)) {
      this.#skipped += 1
      wire.matched = 0
    }
    wire.tail = sent.slice(-(fault.to[wire.matched]?.length ?? 0))
    if (wire.matched < fault.to.length) return this.#pass(wire.server, 'to-server', piece)
    await fault.before?.()
    if (fault.reaches === false) {
      destroyBoth(wire)
      wire.state = 'cut'
      return this.#happened(fault)
    }
    wire.state = 'awaiting-answer'
    await this.#pass(wire.server, 'to-server', piece)
    if (fault.when === 'sent') {
      end(wire.client, fault.how ?? 'fin')
      this.#happened(fault)
    }
  }

  /** The answer that is to be lost has come, or more of it. */
  async #answer(wire: Wire, piece: Buffer): Promise<void> {
    const fault = wire.fault as LostAnswer
    if (fault.when !== 'sent') {
      await this.#pass(wire.client, 'to-client', piece.subarray(0, fault.pass ?? 0))
      this.#happened(fault)
    }
    cut(wire, fault.how ?? 'fin')
  }

  async #pass(to: Socket, direction: Direction, piece: Buffer): Promise<void> {
    this.counts[direction] += piece.length
    if (piece.length > 0) await new Promise<void>(resolve => to.write(piece, () => resolve()))
    if (direction === 'to-server' && this.#onSent.length > 0) this.#tell(piece)
  }

  #tell(piece: Buffer): void {
    this.#onSent = this.#onSent.filter(waiting => {
      const sent = waiting.tail + piece.toString('latin1')
      waiting.tail = sent.slice(-waiting.text.length)
      if (!sent.includes(waiting.text)) return true
      waiting.done()
      return false
    })
  }

  #happened(fault: WireFault): void {
    this.counts.fired += 1
    for (const resolve of this.#onFired.splice(0)) resolve()
    // A swallowed wire keeps swallowing others too; all else happens once.
    if (this.#fault === fault && fault.kind !== 'swallow') this.fault = null
  }
}

/** Begins to count anew for a fault that was set while the wire was in use. */
function forget(wire: Wire, fault: WireFault | null): void {
  if (wire.state !== 'passing') return
  wire.fault = fault
  wire.since['to-server'] = 0
  wire.since['to-client'] = 0
  wire.matched = 0
  wire.tail = ''
}

/** Ends both sides. What still comes is read and dropped: closing before it is read would turn an end into a reset. */
function cut(wire: Wire, how: HowCut): void {
  wire.state = 'cut'
  end(wire.client, how)
  end(wire.server, how)
}

function end(socket: Socket, how: HowCut): void {
  if (how === 'fin') socket.end()
  else if (socket.remoteFamily === undefined) socket.destroy()
  else socket.resetAndDestroy()
}

function destroyBoth(wire: Wire): void {
  wire.client.destroy()
  wire.server.destroy()
}
