/**
 * What the demo plays: deliveries that arrive in waves, and what is run after each. From our fixtures,
 * from a folder of the same layout, or from a folder of the public data sets that docs/demo.md names.
 */
import { existsSync, readdirSync } from 'node:fs'
import { copyFile, mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import { ConfigError } from '../../lib/model/errors.ts'
import type { Delivery, Night, Scene } from './night.ts'
import { publicDataNights } from './public-data.ts'

const DATE = /^\d{4}-\d{2}-\d{2}$/

/** Which job reads which endpoint. */
export type JobsByEndpoint = ReadonlyMap<string, readonly string[]>

/** The nights in a folder. @throws CONFIG_DEMO_DATA when it holds neither layout. */
export async function nightsOf(folder: string, jobs: JobsByEndpoint): Promise<Night[]> {
  if (!existsSync(folder))
    throw new ConfigError('CONFIG_DEMO_DATA', `There is no folder ${folder}. Nothing was started.`)
  const dates = readdirSync(folder)
    .filter(name => DATE.test(name))
    .sort()
  if (dates.length > 0) return Promise.all(dates.map(date => nightOf(path.join(folder, date), date, jobs)))
  const nights = await publicDataNights(folder)
  if (nights.length > 0) return nights
  throw new ConfigError(
    'CONFIG_DEMO_DATA',
    `${folder} holds no deliveries: folders <date>/<wave>/<endpoint>/<file>, or the public data sets that docs/demo.md names. Nothing was started.`,
  )
}

async function nightOf(folder: string, businessDate: string, jobs: JobsByEndpoint): Promise<Night> {
  const scenes: Scene[] = []
  for (const wave of (await readdir(folder)).sort()) {
    const deliveries: Delivery[] = []
    for (const endpoint of (await readdir(path.join(folder, wave))).sort()) {
      const names = (await readdir(path.join(folder, wave, endpoint))).sort()
      deliveries.push(
        ...names.map(name => ({ endpoint, name, from: path.join(folder, wave, endpoint, name) })),
      )
    }
    const endpoints = [...new Set(deliveries.map(delivery => delivery.endpoint))]
    scenes.push({
      title: wave.replace(/^\d+-/, ''),
      deliveries,
      jobs: endpoints.flatMap(endpoint => jobs.get(endpoint) ?? []),
    })
  }
  return { businessDate, scenes }
}

/** Puts the files where the partner's server serves them; one of the same name is replaced. */
export async function deliver(
  deliveries: readonly Delivery[],
  remoteFolder: (endpoint: string) => string,
): Promise<void> {
  for (const { endpoint, name, from } of deliveries) {
    await mkdir(remoteFolder(endpoint), { recursive: true })
    await copyFile(from, path.join(remoteFolder(endpoint), name))
  }
}
