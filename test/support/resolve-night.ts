/**
 * What tests of resolving have in common: a clean night of rates, rows touched by hand, a plan made and
 * applied in this process as the commands do it.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { type AppliedPlan, applyPlan } from '../../lib/run/apply-plan.ts'
import { type PlannedResolution, planResolution } from '../../lib/run/plan-resolution.ts'
import { readPlan } from '../../reconcile/resolve/plan-file.ts'
import type { Night } from './night.ts'
import { ratesCsv, ratesXml } from './night-deliveries.ts'

/** The rates of every night. */
export const RATES: Readonly<Record<string, string>> = { USD: '1.1', JPY: '170.25', GBP: '0.85', CHF: '0.95' }

/** A night of rates that ends clean. */
export async function ratesNight(night: Night, date: string): Promise<void> {
  const compact = date.replaceAll('-', '')
  await night.deliver('ecb', `eurofxref-hist-90d_${compact}.xml`, ratesXml(date, RATES))
  await night.deliver('ecb', `eurofxref-hist_${compact}.csv`, ratesCsv(date, RATES))
  assert.equal((await night.run('fx-rates', date)).reconcile?.outcome, 'CLEAN')
}

/** Somebody changes rates in the target by hand; null deletes one. */
export async function touchRates(
  night: Night,
  date: string,
  rates: Readonly<Record<string, string | null>>,
): Promise<void> {
  for (const [currency, rate] of Object.entries(rates)) {
    await (rate === null
      ? night.rows('DELETE FROM treasury.fx_rate WHERE currency = $1 AND date = $2', [currency, date])
      : night.rows(
          `INSERT INTO treasury.fx_rate (currency, date, rate) VALUES ($1, $2, $3)
           ON CONFLICT (currency, date) DO UPDATE SET rate = excluded.rate`,
          [currency, date, rate],
        ))
  }
}

/** The rates of a date in the target, by currency. */
export async function ratesOf(night: Night, date: string): Promise<Record<string, string>> {
  const rows = await night.rows<{ currency: string; rate: string }>(
    'SELECT currency, trim_scale(rate)::text AS rate FROM treasury.fx_rate WHERE date = $1 ORDER BY 1',
    [date],
  )
  return Object.fromEntries(rows.map(({ currency, rate }) => [currency, rate]))
}

/** A plan for the date's breaks. */
export function planFor(night: Night, job: string, date: string): Promise<PlannedResolution> {
  return planResolution({
    engine: night.engine,
    scheduled: night.job(job),
    businessDate: date,
    identities: null,
    by: { name: 'kim', account: 'test' },
    folder: path.join(night.folder, `plan-${job}-${date}`),
  })
}

/** Applies the plan that was written. */
export async function applied(night: Night, { files }: PlannedResolution): Promise<AppliedPlan> {
  const plan = readPlan(await readFile(files[0]!, 'utf8'), 'plan.json')
  return applyPlan(night.engine, night.job(plan.job), plan, { name: 'alex', account: 'test' })
}
