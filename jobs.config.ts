/**
 * The timetable: which jobs run when, in which zone and calendar, and what is done about nights that
 * were missed. What each job does stands in its own file under jobs/.
 */
import bankStatements from './jobs/bank-statements.ts'
import fxRates from './jobs/fx-rates.ts'
import payrollHours from './jobs/payroll-hours.ts'
import portalOrders from './jobs/portal-orders.ts'
import purchaseOrderLines from './jobs/purchase-order-lines.ts'
import purchaseOrders from './jobs/purchase-orders.ts'
import sanctionsList from './jobs/sanctions-list.ts'
import type { Timetable } from './lib/model/job.ts'
import { everyDay, target2, weekdays } from './lib/schedule/calendars.ts'

const timetable: Timetable = {
  jobs: [
    {
      job: portalOrders,
      cron: '15 5 * * *',
      zone: 'Europe/London',
      calendar: everyDay,
      businessDate: 'previous-day',
      catchUp: 'latest',
      fileUntil: '06:30',
    },
    {
      job: fxRates,
      cron: '30 16 * * *',
      zone: 'Europe/Berlin',
      calendar: target2,
      businessDate: 'same-day',
      catchUp: 'latest',
      fileUntil: '19:00',
    },
    {
      job: bankStatements,
      cron: '0 6 * * *',
      zone: 'Europe/Zurich',
      calendar: weekdays,
      businessDate: 'previous-business-day',
      catchUp: 'all',
      fileUntil: '06:45',
    },
    {
      job: payrollHours,
      cron: '0 23 * * *',
      zone: 'Europe/Berlin',
      calendar: everyDay,
      businessDate: 'same-day',
      catchUp: 'all',
      fileUntil: '23:45',
    },
    {
      job: sanctionsList,
      cron: '0 4 * * *',
      zone: 'Europe/Berlin',
      calendar: everyDay,
      businessDate: 'same-day',
      catchUp: 'latest',
      fileUntil: '06:30',
    },
    {
      job: purchaseOrderLines,
      cron: '0 5 * * *',
      zone: 'Europe/Berlin',
      calendar: everyDay,
      businessDate: 'same-day',
      catchUp: 'latest',
      fileUntil: '07:00',
    },
    {
      job: purchaseOrders,
      cron: '30 5 * * *',
      zone: 'Europe/Berlin',
      calendar: everyDay,
      businessDate: 'same-day',
      catchUp: 'latest',
      fileUntil: '07:30',
    },
  ],
}

export default timetable
