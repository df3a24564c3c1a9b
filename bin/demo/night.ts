/**
 * The words of the demo's play: deliveries arrive in scenes, scenes make a night. Where they come
 * from: nights.ts and public-data.ts.
 */

/** A file that arrives at an endpoint. */
export interface Delivery {
  readonly endpoint: string
  readonly name: string
  /** Where its bytes are. */
  readonly from: string
}

/** Something that happens, and the jobs that are run afterwards for the night's date. */
export interface Scene {
  readonly title: string
  readonly deliveries: readonly Delivery[]
  readonly jobs: readonly string[]
}

/** A business date and what happens for it, in order. */
export interface Night {
  readonly businessDate: string
  readonly scenes: readonly Scene[]
}
