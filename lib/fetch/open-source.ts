/**
 * From a job's fetch to a source that can be listed: the only place that knows which kinds there are.
 */
import type { Environment } from '../model/environment.ts'
import { ConfigError } from '../model/errors.ts'
import type { FetchSpec } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { ResolveSecret } from '../model/secret.ts'
import type { SourceConnection } from '../model/source.ts'
import { localFolder } from './local-folder.ts'

/**
 * The source of a feed; it connects at its first use. Close it when done.
 * @throws CONFIG_ENDPOINT_UNKNOWN
 */
export async function openSource(
  spec: FetchSpec,
  environment: Pick<Environment, 'name' | 'sftp' | 'dataFolder'>,
  readSecret: ResolveSecret,
  context: Pick<StepContext, 'clock' | 'log' | 'signal'>,
): Promise<SourceConnection> {
  if (spec.kind === 'folder') return localFolder(environment.dataFolder, context)
  const endpoint = environment.sftp[spec.endpoint]
  if (endpoint === undefined) {
    throw new ConfigError(
      'CONFIG_ENDPOINT_UNKNOWN',
      `The environment ${environment.name} has no SFTP endpoint ${JSON.stringify(spec.endpoint)}, which feed ${spec.feed} names. Nothing was started; add it or correct the name.`,
    )
  }
  // Loaded only here: a run over local folders needs nothing of SSH.
  const { sftpConnection } = await import('../sftp/sftp-connection.ts')
  return sftpConnection({ name: spec.endpoint, endpoint, readSecret, stallMs: spec.limits.stallMs, context })
}
