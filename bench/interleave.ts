/**
 * Measures contenders in turn (A, B, A, B, ...), so that whatever else the machine does meets all of
 * them alike, and tells their medians and the ratio to the first one: the limit that was named for it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'

/** One way of doing the work. */
export interface Contender {
  readonly name: string
  /** Made ready outside of the time. */
  readonly before?: () => Promise<void>
  readonly run: () => Promise<void>
  readonly after?: () => Promise<void>
  /** Process id of the server that works for it, known after `before`. */
  readonly server?: () => number
}

/** What one contender came to. */
export interface Measured {
  readonly name: string
  readonly medianMs: number
  /** Processor time of this process, all threads. */
  readonly cpuMs: number
  /** Processor time of the server's process, 0 where there is none. */
  readonly serverMs: number
  /** Largest resident set of this process in any round. */
  readonly peakMb: number
}

/** Where Linux tells the largest resident set, and forgets it when told to. */
const STATUS = '/proc/self/status'
const FORGET = '/proc/self/clear_refs'

/** Runs each contender `rounds` times in turn, after `warming` rounds that do not count. */
export async function interleave(
  contenders: readonly Contender[],
  rounds: number,
  warming = 1,
): Promise<Measured[]> {
  const times = contenders.map((): Round[] => [])
  for (let round = -warming; round < rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      const measured = await once(contender)
      if (round >= 0) times[index]!.push(measured)
    }
  }
  return contenders.map(({ name }, index) => ({
    name,
    medianMs: median(times[index]!.map(({ ms }) => ms)),
    cpuMs: median(times[index]!.map(({ cpuMs }) => cpuMs)),
    serverMs: median(times[index]!.map(({ serverMs }) => serverMs)),
    peakMb: Math.max(...times[index]!.map(({ peakMb }) => peakMb)),
  }))
}

interface Round {
  readonly ms: number
  readonly cpuMs: number
  readonly serverMs: number
  readonly peakMb: number
}

async function once(contender: Contender): Promise<Round> {
  await contender.before?.()
  await setImmediate()
  globalThis.gc?.()
  const peak = startPeak()
  const server = contender.server?.()
  const serverBefore = processorMs(server)
  const cpu = process.cpuUsage()
  const started = performance.now()
  await contender.run()
  const ms = performance.now() - started
  const used = process.cpuUsage(cpu)
  const serverMs = processorMs(server) - serverBefore
  const peakMb = peak()
  await contender.after?.()
  return { ms, cpuMs: (used.user + used.system) / 1000, serverMs, peakMb }
}

/** Processor time that another process has used so far; 0 where that can't be told. */
function processorMs(pid: number | undefined): number {
  if (pid === undefined) return 0
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    // Ticks of 10 ms in user and system mode.
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return 0
  }
}

/** Begins to watch the resident set; gives a function that tells its largest size in MB. */
function startPeak(): () => number {
  try {
    writeFileSync(FORGET, '5')
    return () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(STATUS, 'utf8'))![1]) / 1024
  } catch {
    let largest = process.memoryUsage.rss()
    const timer = setInterval(() => {
      largest = Math.max(largest, process.memoryUsage.rss())
    }, 20)
    return () => {
      clearInterval(timer)
      return Math.max(largest, process.memoryUsage.rss()) / 2 ** 20
    }
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Prints a line per contender: median, ratio to the first, processor time, peak memory. */
export function tell(title: string, measured: readonly Measured[], target?: string): void {
  const limit = measured[0]!
  const lines = measured.map(({ name, medianMs, cpuMs, serverMs, peakMb }, index) => {
    const ratio = index === 0 ? 'the limit' : `${(medianMs / limit.medianMs).toFixed(2)} x`
    return [
      name.padEnd(44),
      `${(medianMs / 1000).toFixed(2)} s`.padStart(9),
      ratio.padStart(10),
      `cpu ${(cpuMs / 1000).toFixed(2)} s`.padStart(12),
      serverMs === 0 ? '' : `server ${(serverMs / 1000).toFixed(2)} s`.padStart(14),
      `peak ${peakMb.toFixed(0)} MB`.padStart(13),
    ].join('  ')
  })
  process.stdout.write(
    `${title}\n${lines.join('\n')}\n${target === undefined ? '' : `to reach: ${target}\n`}`,
  )
}
