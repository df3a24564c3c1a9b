/**
 * Production, as an example: copy it to environments/production.ts, fill in what is yours, and set
 * TALLYMAN_ENV=production for the service. docs/production.md goes through it part by part; `tallyman
 * check` judges it without network, `tallyman doctor` with it. No secret stands here, only where it is.
 */
import type { EnvironmentFile } from '../lib/model/environment.ts'

const production: EnvironmentFile = {
  // The run ledger belongs to this name: another environment's command refuses to write into it.
  name: 'production',
  production: true,
  // In production mails go out anyway; elsewhere they stay in the outbox unless this is true.
  releaseMail: false,
  // Run ledger, and the target of every load that names no other (`targets`). Without the variable every command ends with exit 2, never with an empty ledger.
  database: { kind: 'url', url: { env: 'DATABASE_URL' } },
  // Archive, snapshots, outbox and log. Back it up together with the database.
  dataFolder: '/var/lib/tallyman',
  sftp: {
    // A key of our own, its passphrase from the service's variables.
    portal: {
      host: 'sftp.portal.example.com',
      port: 22,
      username: 'acme-orders',
      // As `ssh-keygen -lf` or `tallyman doctor` prints it, compared by telephone. Two while the partner changes it.
      hostKeys: [
        'SHA256:q0lCT9vR5o9nq9dZ3pKfXoJmXH3h2mT6gqk1y8Zr4wE',
        'SHA256:7Yh2VfD0mQm0cX2s5v8yB1e4H7k0N3q6T9w2Z5c8F1I',
      ],
      auth: {
        kind: 'key',
        key: { file: '/etc/tallyman/portal_ed25519' },
        passphrase: { env: 'PORTAL_KEY_PASSPHRASE' },
      },
    },
    // A password that a program of the password store prints, read again after a refused login.
    bank: {
      host: 'filetransfer.bank.example',
      port: 2222,
      username: 'ACME0815',
      hostKeys: ['SHA256:Zk8cB2nE5q7t0w3z6C9f1I4l7O0r3U6x9A2d5G8j1M4'],
      auth: { kind: 'password', password: { command: ['pass', 'show', 'tallyman/bank-sftp'] } },
    },
    ecb: {
      host: 'sftp.rates.example',
      port: 22,
      username: 'acme',
      hostKeys: ['SHA256:dJ4mP7s0V3y6B9e2H5k8N1q4T7w0Z3c6F9i2L5o8R1U'],
      auth: { kind: 'key', key: { file: '/etc/tallyman/rates_ed25519' } },
    },
    payroll: {
      host: 'clocks.example.internal',
      port: 22,
      username: 'tallyman',
      hostKeys: ['SHA256:Rr5uX8a1D4g7J0m3P6s9V2y5B8e1H4k7N0q3T6w9Z2c'],
      auth: { kind: 'keyboard-interactive', password: { file: '/etc/tallyman/clocks.password' } },
    },
    sanctions: {
      host: 'lists.compliance.example',
      port: 22,
      username: 'acme',
      hostKeys: ['SHA256:Hn3rT6vX9zB2dF5hJ8lN1pR4tV7xZ0bD3fH6jL9nP2r'],
      auth: { kind: 'key', key: { file: '/etc/tallyman/lists_ed25519' } },
    },
    erp: {
      host: 'erp.example.internal',
      port: 22,
      username: 'tallyman',
      hostKeys: ['SHA256:Wc5eG8iK1mO4qS7uW0yA3cE6gI9kM2oQ5sU8wY1aC4e'],
      auth: { kind: 'key', key: { file: '/etc/tallyman/erp_ed25519' } },
    },
  },
  api: {
    // https only; redirects are refused. The token goes out as a bearer token.
    hours: { baseUrl: 'https://payroll.example.com/api/v2', token: { env: 'PAYROLL_API_TOKEN' } },
  },
  // Databases of others that comparisons read (docs/comparing-jobs.md); nothing is written to them.
  databases: {
    legacy: {
      ...{ kind: 'mysql', host: 'erp-db.example.com', port: 3306, user: 'tallyman_reader', database: 'erp' },
      password: { env: 'LEGACY_DB_PASSWORD' },
      tls: 'required',
      zone: 'Europe/Berlin',
    },
  },
  smtp: {
    host: 'mail.example.com',
    port: 587,
    // 'starttls' is required, not offered: without it nothing is sent and the mail waits.
    tls: 'starttls',
    user: 'tallyman@example.com',
    password: { env: 'SMTP_PASSWORD' },
  },
  mailFrom: 'tallyman@example.com',
  // Who gets which job's mail: `report: mail({ to })` in the job names the list.
  recipients: {
    sales: ['sales-operations@example.com'],
    treasury: ['treasury@example.com', 'accounting@example.com'],
    payroll: ['payroll@example.com'],
    compliance: ['compliance@example.com'],
    purchasing: ['purchasing@example.com'],
  },
}

export default production
