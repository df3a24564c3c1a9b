/**
 * This machine alone: an embedded Postgres, and SFTP, mail and API servers that each command starts
 * in its own process on the loopback. Remote folders are under .tallyman/remote/<endpoint>; drop a
 * file there and run its job. Mails stay in .tallyman/outbox.
 */
import type { EnvironmentFile } from '../lib/model/environment.ts'

const local: EnvironmentFile = {
  name: 'local',
  production: false,
  releaseMail: false,
  database: { kind: 'embedded' },
  dataFolder: '.tallyman',
  sftp: {
    portal: 'embedded',
    ecb: 'embedded',
    bank: 'embedded',
    payroll: 'embedded',
    sanctions: 'embedded',
    erp: 'embedded',
  },
  api: { hours: 'embedded' },
  smtp: 'embedded',
  mailFrom: 'tallyman@example.com',
  recipients: {
    sales: ['sales-operations@example.com'],
    treasury: ['treasury@example.com'],
    payroll: ['payroll@example.com'],
    compliance: ['compliance@example.com'],
    purchasing: ['purchasing@example.com'],
  },
}

export default local
