/**
 * What differs between machines: endpoints, connections, recipients, limits. Written in
 * environments/<name>.ts; secrets are named there, never written there.
 */
import type { SecretSource } from './secret.ts'

/** An SFTP server. At least one host key fingerprint: there is no trust on first use. */
export interface SftpEndpoint {
  readonly host: string
  readonly port: number
  readonly username: string
  /** `SHA256:...` as ssh-keygen -l prints it; several during a rotation. */
  readonly hostKeys: readonly [string, ...string[]]
  readonly auth:
    | { readonly kind: 'password'; readonly password: SecretSource }
    | { readonly kind: 'keyboard-interactive'; readonly password: SecretSource }
    | { readonly kind: 'key'; readonly key: SecretSource; readonly passphrase?: SecretSource }
}

/** An HTTP API. https, unless on the loopback. */
export interface ApiEndpoint {
  readonly baseUrl: string
  readonly token?: SecretSource
}

/** A database that comparisons read; nothing is ever written to it. A MariaDB is `mysql`. */
export type OtherDatabase = {
  /** IANA zone of its times without a zone. Default UTC. */
  readonly zone?: string
} & (
  | (NetworkDatabase & { readonly kind: 'mysql' | 'mssql' })
  | {
      readonly kind: 'oracle'
      /** As Oracle's tools take it: `db.example.com:1521/ERP`. */
      readonly connectString: string
      readonly user: string
      readonly password: SecretSource
    }
  /** A file on this machine. */
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: SecretSource }
)

/** A database server. */
export interface NetworkDatabase {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: SecretSource
  readonly database: string
  /** `required`: its certificate is verified. `none`: loopback only. */
  readonly tls: 'required' | 'none'
  /** PEM certificates to trust instead of the public ones. */
  readonly ca?: string
}

/** A mail server. */
export interface SmtpServer {
  readonly host: string
  readonly port: number
  /** `implicit`: TLS from the first byte. `starttls`: required. `none`: loopback only. */
  readonly tls: 'implicit' | 'starttls' | 'none'
  /** PEM certificates to trust instead of the public ones: for a mail server of a private authority. */
  readonly ca?: string
  readonly user?: string
  readonly password?: SecretSource
}

/** Where and with whom Tallyman works on one kind of machine. */
export interface Environment {
  readonly name: string
  /** Outside production mails stay in the outbox folder unless `releaseMail`. */
  readonly production: boolean
  readonly releaseMail: boolean
  /** The run ledger, and the target of every load that names no other. `embedded` starts a Postgres of its own in the data folder. */
  readonly database: { readonly kind: 'embedded' } | { readonly kind: 'url'; readonly url: SecretSource }
  /** Archive, snapshots, outbox; a relative path is taken from the project's root. */
  readonly dataFolder: string
  readonly sftp: Readonly<Record<string, SftpEndpoint>>
  readonly api: Readonly<Record<string, ApiEndpoint>>
  /** Other Postgres databases that jobs load into, by the name that `postgres({ database })` says. Absent: none. */
  readonly targets?: Readonly<Record<string, { readonly url: SecretSource }>>
  /** Databases that comparisons read besides the target's. Absent: none. */
  readonly databases?: Readonly<Record<string, OtherDatabase>>
  readonly smtp: SmtpServer
  readonly mailFrom: string
  /** Addresses by list name. */
  readonly recipients: Readonly<Record<string, readonly string[]>>
}

/**
 * An environment as written: `'embedded'` stands for a part that the command starts in its own
 * process on the loopback (a folder served over real SSH, a mail server, an API). Never in production.
 */
export interface EnvironmentFile extends Omit<Environment, 'sftp' | 'api' | 'smtp'> {
  readonly sftp: Readonly<Record<string, SftpEndpoint | 'embedded'>>
  readonly api: Readonly<Record<string, ApiEndpoint | 'embedded'>>
  readonly smtp: SmtpServer | 'embedded'
}

/** Whether any part of it is to be started in this process. */
export function hasEmbeddedParts(environment: EnvironmentFile): boolean {
  const parts = [...Object.values(environment.sftp), ...Object.values(environment.api), environment.smtp]
  return parts.includes('embedded')
}
