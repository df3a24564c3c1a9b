/**
 * The demo on public data: which files of which set arrive where and when. The sets are a
 * retailer's order lines by day, ECB reference rates as XML windows and as history CSV, and banks'
 * camt.053 samples, purchase orders of a sample ERP, and OFAC's consolidated list in two editions; none of them is part of this project.
 */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { Delivery, Night } from './night.ts'

/** The day of the ECB history that the six windows are compared with; all bank samples arrive with it. */
const EVENING = '2025-05-09'

async function filesOf(folder: string, pattern: RegExp): Promise<string[]> {
  return existsSync(folder) ? (await readdir(folder)).filter(name => pattern.test(name)).sort() : []
}

async function orderNights(data: string): Promise<Night[]> {
  const folder = path.join(data, 'uci-online-retail-daily')
  const names = await filesOf(folder, /^\d{4}-\d{2}-\d{2}\.csv$/)
  return names.map(name => {
    const businessDate = name.slice(0, 10)
    const delivery = {
      endpoint: 'portal',
      name: `orders_${businessDate.replaceAll('-', '')}.csv`,
      from: path.join(folder, name),
    }
    return {
      businessDate,
      scenes: [{ title: 'orders of the day', deliveries: [delivery], jobs: ['portal-orders'] }],
    }
  })
}

/** ECB files under the names that the job expects: `eurofxref-hist-90d_2013-01.xml` becomes `eurofxref-hist-90d_2013-01_20250509.xml`. */
async function rateDeliveries(data: string): Promise<Delivery[]> {
  const folder = path.join(data, 'ecb-fx')
  const windows = await filesOf(folder, /^eurofxref-hist.*\.xml$/)
  const history = await filesOf(folder, /^eurofxref-hist_2025-05\.csv$/)
  const stamp = EVENING.replaceAll('-', '')
  return [...windows, ...history].map(name => {
    const { name: stem, ext } = path.parse(name)
    return { endpoint: 'ecb', name: `${stem}_${stamp}${ext}`, from: path.join(folder, name) }
  })
}

async function statementDeliveries(data: string): Promise<Delivery[]> {
  const stamp = EVENING.replaceAll('-', '')
  const deliveries: Delivery[] = []
  for (const [set, pattern] of [
    ['camt-swiss-pairs', /_C053_.*\.xml$/],
    ['camt-real-banks', /camt.*\.xml$/],
  ] as const) {
    const folder = path.join(data, set)
    for (const name of await filesOf(folder, pattern)) {
      deliveries.push({ endpoint: 'bank', name: `camt053_${stamp}_${name}`, from: path.join(folder, name) })
    }
  }
  return deliveries
}

/** The day of OFAC's list. */
const LIST_DAY = '2018-04-06'

/** OFAC's files with the day in their names: `cons_add.csv` becomes `cons_add_20180406.csv`. */
async function listNights(data: string): Promise<Night[]> {
  const folder = path.join(data, 'ofac-consolidated-5-formats')
  const names = await filesOf(folder, /^consolidated\.xml$|^cons_(?:prim|add|alt)\.csv$/)
  if (names.length === 0) return []
  const deliveries = names.map(name => ({
    endpoint: 'sanctions',
    name: name.replace('.', `_${LIST_DAY.replaceAll('-', '')}.`),
    from: path.join(folder, name),
  }))
  const scene = {
    title: 'the list of sanctioned parties in two editions',
    deliveries,
    jobs: ['sanctions-list'],
  }
  return [{ businessDate: LIST_DAY, scenes: [scene] }]
}

/** A day after the last of the ERP's orders. */
const ORDERS_DAY = '2025-09-30'

/** The ERP's bcp files; the lines come first, because the headers are tied to them. */
async function purchaseNights(data: string): Promise<Night[]> {
  const folder = path.join(data, 'adventureworks')
  const names = await filesOf(folder, /^PurchaseOrder(?:Detail|Header)\.csv$/)
  if (names.length < 2) return []
  const deliveries = names.map(name => ({
    endpoint: 'erp',
    name: name.replace('.', `_${ORDERS_DAY.replaceAll('-', '')}.`),
    from: path.join(folder, name),
  }))
  const jobs = ['purchase-order-lines', 'purchase-orders']
  return [
    { businessDate: ORDERS_DAY, scenes: [{ title: 'purchase orders and their lines', deliveries, jobs }] },
  ]
}

/** The nights that can be played from a folder of these sets; empty when it holds none of them. */
export async function publicDataNights(data: string): Promise<Night[]> {
  const rates = await rateDeliveries(data)
  const statements = await statementDeliveries(data)
  const evening = [
    { title: 'reference rates of six windows', deliveries: rates, jobs: ['fx-rates'] },
    { title: 'statements of six banks', deliveries: statements, jobs: ['bank-statements'] },
  ].filter(scene => scene.deliveries.length > 0)
  return [
    ...(await orderNights(data)),
    ...(await listNights(data)),
    ...(evening.length === 0 ? [] : [{ businessDate: EVENING, scenes: evening }]),
    ...(await purchaseNights(data)),
  ]
}
