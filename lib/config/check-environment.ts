/**
 * Mistakes that an environment file can hold, found without any network. Whether its servers
 * answer is asked by `tallyman doctor`.
 */
import {
  type EnvironmentFile,
  hasEmbeddedParts,
  type OtherDatabase,
  type SftpEndpoint,
  type SmtpServer,
} from '../model/environment.ts'
import type { SecretSource } from '../model/secret.ts'
import { isZone } from '../model/time/zone.ts'
import { type Complain, type Complaint, complainAbout, NAME } from './complaint.ts'

/** A pinned host key as ssh-keygen prints it: base64 of 32 bytes without padding. */
const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/
const ADDRESS = /^[^\s@<>,;"\p{Cc}]+@[^\s@<>,;"\p{Cc}]+$/u
const LOOPBACK = new Set(['127.0.0.1', '::1', '[::1]', 'localhost'])

function checkSftp(name: string, endpoint: SftpEndpoint, complaints: Complaint[]): void {
  const complain = complainAbout(`environment sftp.${name}`, complaints)
  if (endpoint.host.trim() === '') complain('host', 'is empty', 'name the server')
  if (!isPort(endpoint.port))
    complain('port', `${endpoint.port} is no port`, 'a number from 1 to 65535, normally 22')
  if (endpoint.username.trim() === '') complain('username', 'is empty', 'the login that the partner gave')
  const keys: readonly string[] = endpoint.hostKeys
  if (keys.length === 0) {
    complain(
      'hostKeys',
      'pins no host key, so anyone could pose as the server',
      'paste the line that `tallyman doctor` prints',
    )
  }
  for (const key of keys) {
    if (!FINGERPRINT.test(key)) {
      complain(
        'hostKeys',
        `${JSON.stringify(key)} is no fingerprint`,
        'write it as SHA256: and 43 characters, as `ssh-keygen -lf` prints it',
      )
    }
  }
}

/** Secrets that an environment names, by the part that names them. */
function secretsOf(environment: EnvironmentFile): Map<string, SecretSource> {
  const named = new Map<string, SecretSource>()
  const note = (part: string, source: SecretSource | undefined): void => {
    if (source !== undefined) named.set(part, source)
  }
  if (environment.database.kind === 'url') note('database.url', environment.database.url)
  for (const [name, endpoint] of Object.entries(environment.sftp)) {
    if (endpoint === 'embedded') continue
    const { auth } = endpoint
    if (auth.kind !== 'key') note(`sftp.${name}.auth.password`, auth.password)
    else {
      note(`sftp.${name}.auth.key`, auth.key)
      note(`sftp.${name}.auth.passphrase`, auth.passphrase)
    }
  }
  for (const [name, endpoint] of Object.entries(environment.api))
    if (endpoint !== 'embedded') note(`api.${name}.token`, endpoint.token)
  for (const [name, { url }] of Object.entries(environment.targets ?? {})) note(`targets.${name}.url`, url)
  for (const [name, database] of Object.entries(environment.databases ?? {})) {
    if (database.kind === 'postgres') note(`databases.${name}.url`, database.url)
    else if ('password' in database) note(`databases.${name}.password`, database.password)
  }
  if (environment.smtp !== 'embedded') note('smtp.password', environment.smtp.password)
  return named
}

function checkSecrets(environment: EnvironmentFile, complain: Complain): void {
  const fix = "name where it is: { env: 'NAME' }, { file: '/path' } or { command: ['program', 'argument'] }"
  for (const [part, source] of secretsOf(environment)) {
    const [value] = Object.values(source) as [string | readonly string[]]
    if (environment.production && 'literal' in source)
      complain(part, 'a secret stands in the file, where everyone who has the project reads it', fix)
    else if (value === '' || value.length === 0 || value[0] === '')
      complain(part, 'names nothing to read the secret from', fix)
  }
}

function checkSmtp(smtp: SmtpServer, complain: Complain): void {
  if (smtp.host.trim() === '') complain('smtp.host', 'is empty', 'name the server')
  if (!isPort(smtp.port))
    complain('smtp.port', `${smtp.port} is no port`, '587 for starttls, 465 for implicit')
  if (smtp.tls === 'none' && !LOOPBACK.has(smtp.host))
    complain(
      'smtp.tls',
      `mail to ${smtp.host} would travel readable`,
      "'starttls' or 'implicit'; 'none' is for the loopback only",
    )
  if ((smtp.user === undefined) !== (smtp.password === undefined))
    complain(
      'smtp',
      `has ${smtp.user === undefined ? 'a password without a user' : 'a user without a password'}`,
      'give both or neither',
    )
}

function checkDatabase(name: string, database: OtherDatabase, complaints: Complaint[]): void {
  const complain = complainAbout(`environment databases.${name}`, complaints)
  if (database.zone !== undefined && !isZone(database.zone))
    complain('zone', `${JSON.stringify(database.zone)} is no IANA zone`, 'such as Europe/Berlin')
  if (database.kind === 'sqlite' && database.file.trim() === '')
    complain('file', 'is empty', "the path of the database's file")
  if (database.kind !== 'mysql' && database.kind !== 'mssql') return
  if (database.host.trim() === '') complain('host', 'is empty', 'name the server')
  if (!isPort(database.port))
    complain('port', `${database.port} is no port`, 'a number from 1 to 65535, normally 3306 or 1433')
  if (database.tls === 'none' && !LOOPBACK.has(database.host))
    complain('tls', `what is read from ${database.host} would travel readable`, "'required'")
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}

/** All mistakes of an environment, empty when there are none. */
export function checkEnvironment(environment: EnvironmentFile): Complaint[] {
  const complaints: Complaint[] = []
  const complain = complainAbout(`environment ${environment.name}`, complaints)
  if (!NAME.test(environment.name))
    complain(
      'name',
      `${JSON.stringify(environment.name)} is no name`,
      'lower-case letters, digits and dashes',
    )
  if (environment.production && environment.database.kind === 'embedded') {
    complain(
      'database',
      'an embedded database in production keeps the run ledger on one disk without backups',
      "database: { kind: 'url', url: { env: 'DATABASE_URL' } }",
    )
  }
  if (environment.production && hasEmbeddedParts(environment)) {
    complain('', 'has embedded parts in production', 'name real endpoints')
  }
  for (const [name, endpoint] of Object.entries(environment.sftp)) {
    if (endpoint !== 'embedded') checkSftp(name, endpoint, complaints)
  }
  for (const [name, database] of Object.entries(environment.databases ?? {}))
    checkDatabase(name, database, complaints)
  for (const [name, endpoint] of Object.entries(environment.api)) {
    if (endpoint === 'embedded') continue
    const url = URL.canParse(endpoint.baseUrl) ? new URL(endpoint.baseUrl) : null
    if (url === null)
      complain(`api.${name}.baseUrl`, `${JSON.stringify(endpoint.baseUrl)} is no URL`, 'https://host/path')
    else if (url.protocol !== 'https:' && !LOOPBACK.has(url.hostname)) {
      complain(`api.${name}.baseUrl`, 'is not https', 'use https; plain http is for the loopback only')
    }
  }
  if (environment.smtp !== 'embedded') checkSmtp(environment.smtp, complain)
  checkSecrets(environment, complain)
  if (environment.dataFolder.trim() === '')
    complain('dataFolder', 'is empty', "a folder for archive, snapshots and mails, such as '.tallyman'")
  if (!ADDRESS.test(environment.mailFrom))
    complain('mailFrom', `${JSON.stringify(environment.mailFrom)} is no address`, 'name@host')
  for (const [list, addresses] of Object.entries(environment.recipients)) {
    if (addresses.length === 0)
      complain(`recipients.${list}`, 'has no address', 'at least one, or remove the list')
    for (const address of addresses) {
      if (!ADDRESS.test(address))
        complain(`recipients.${list}`, `${JSON.stringify(address)} is no address`, 'name@host')
    }
  }
  return complaints
}
