/**
 * Named points between the side effects of a run, where tests kill, pause or fail the process.
 * A no-op unless armed by the composition root from TALLYMAN_FAILPOINT=name:n:action.
 * The matrix that kills at each of them is the proof behind docs of "exactly once".
 */

/** What an armed failpoint does: kill -9 itself, stop itself (SIGSTOP), throw, or fail as a full disk does. */
export type FailpointAction = 'kill' | 'pause' | 'throw' | 'enospc'

interface Armed {
  readonly name: string
  readonly action: FailpointAction
  left: number
}

let armed: Armed | null = null

/** Arms one failpoint: `name:n:action` acts on the n-th pass (from 1). @throws RangeError for another form. */
export function armFailpoint(spec: string): void {
  const match = /^([a-z0-9-]+(?:\.[a-z0-9-]+)*):(\d+):(kill|pause|throw|enospc)$/.exec(spec)
  if (match === null)
    throw new RangeError(`TALLYMAN_FAILPOINT must be name:n:action, got ${JSON.stringify(spec)}`)
  armed = { name: match[1]!, left: Number(match[2]), action: match[3] as FailpointAction }
}

/** Disarms. */
export function disarmFailpoint(): void {
  armed = null
}

let watching: ((name: string) => void) | null = null

/** Tells of every pass from now on, null of none: how tests learn how often a run passes where. */
export function watchFailpoints(seen: ((name: string) => void) | null): void {
  watching = seen
}

/** A named point. Names are `step.where`, such as `load.after-commit`; unique in the source (held by a test). */
export function failpoint(name: string): void {
  watching?.(name)
  if (armed === null || armed.name !== name) return
  armed.left -= 1
  if (armed.left !== 0) return
  switch (armed.action) {
    case 'kill':
      process.kill(process.pid, 'SIGKILL')
      // SIGKILL is delivered asynchronously to a running thread: nothing after this line may happen.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      return
    case 'pause':
      process.kill(process.pid, 'SIGSTOP')
      return
    case 'throw':
      throw new Error(`failpoint ${name}`)
    case 'enospc':
      throw Object.assign(new Error(`ENOSPC: no space left on device, failpoint ${name}`), { code: 'ENOSPC' })
  }
}
