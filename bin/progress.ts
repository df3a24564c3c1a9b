/**
 * Progress for whoever watches: one live line on a terminal, one line per 30 seconds elsewhere.
 * Steps tell it what they did (lib/model/progress.ts); it never slows them down.
 */
import type { Progress } from '../lib/model/progress.ts'
import type { Clock } from '../lib/model/time/clock.ts'
import type { Terminal } from './terminal.ts'

/** How often a live line is redrawn, and how often a line is printed where nobody can see it move. */
const REDRAW_MS = 100
const PRINT_MS = 30_000

/** Shows progress until closed. */
export interface ProgressDisplay {
  readonly show: (event: Progress) => void
  /** Takes the live line away so that other lines can be printed. */
  clear(): void
}

/** `1.2 MB` for bytes, `12,345` for rows. */
export function quantity(amount: number, unit: Progress['unit']): string {
  if (unit === 'rows') return `${amount.toLocaleString('en-US')} rows`
  if (amount < 1024) return `${amount} B`
  if (amount < 1024 ** 2) return `${(amount / 1024).toFixed(1)} KB`
  return amount < 1024 ** 3
    ? `${(amount / 1024 ** 2).toFixed(1)} MB`
    : `${(amount / 1024 ** 3).toFixed(2)} GB`
}

/** The text of one progress line: step, subject, amount, share, rate, time left. */
export function progressLine(event: Progress, elapsedMs: number): string {
  const rate = elapsedMs > 0 ? (event.done * 1000) / elapsedMs : 0
  const parts = [`${event.step.padEnd(9)} ${event.subject}`, quantity(event.done, event.unit)]
  if (event.total !== null && event.total > 0) parts.push(`${Math.floor((event.done * 100) / event.total)} %`)
  if (elapsedMs >= 1000) parts.push(`${quantity(Math.round(rate), event.unit)}/s`)
  if (event.total !== null && rate > 0 && elapsedMs >= 1000 && event.done < event.total) {
    parts.push(`${Math.ceil((event.total - event.done) / rate)} s left`)
  }
  return parts.join('  ')
}

/** A display on this terminal. */
export function showProgress(terminal: Terminal, clock: Clock, columns: () => number): ProgressDisplay {
  let subject = ''
  let startedMs = 0
  // Where lines stay, the first one is due after a while, however many files a job goes through.
  let lastMs = terminal.animated ? Number.NEGATIVE_INFINITY : clock.monotonicMs()
  let live = false
  const clear = (): void => {
    if (live) process.stderr.write('\r\u001b[2K')
    live = false
  }
  return {
    clear,
    show: event => {
      const now = clock.monotonicMs()
      const key = `${event.step} ${event.subject}`
      if (key !== subject) {
        subject = key
        startedMs = now
      }
      if (now - lastMs < (terminal.animated ? REDRAW_MS : PRINT_MS)) return
      lastMs = now
      const line = progressLine(event, now - startedMs)
      if (!terminal.animated) {
        terminal.note(line)
        return
      }
      process.stderr.write(`\r\u001b[2K${line.slice(0, Math.max(20, columns() - 1))}`)
      live = true
    },
  }
}
