/**
 * What is sent to an SFTP server to log in: exactly the declared kind of authentication and no
 * other, with secrets read at this moment. The connection itself: session.ts.
 */
import type { AnyAuthMethod, AuthHandlerMiddleware } from 'ssh2'
import type { SftpEndpoint } from '../model/environment.ts'
import type { ResolveSecret, Secret } from '../model/secret.ts'
import { keyError } from './sftp-errors.ts'
import { loadSsh2 } from './ssh2.ts'

/** A server may ask several times in keyboard-interactive (a second factor we can't give): after this many rounds it is refused. */
const MAX_PROMPT_ROUNDS = 3

/** A login ready to be sent. */
export interface Login {
  readonly handler: AuthHandlerMiddleware
  /** Whether both would send the same secrets: then a second try is no use. */
  sameAs(other: Login): boolean
  readonly secrets: readonly Secret[]
}

/**
 * Reads the secrets of an endpoint and makes the login of its kind.
 * @throws FETCH_KEY_UNREADABLE, and whatever reading a secret throws
 */
export async function prepareLogin(
  source: string,
  endpoint: SftpEndpoint,
  readSecret: ResolveSecret,
): Promise<Login> {
  const { auth, username } = endpoint
  if (auth.kind === 'key') {
    const key = await readSecret(auth.key)
    const passphrase = auth.passphrase === undefined ? null : await readSecret(auth.passphrase)
    const { utils } = loadSsh2()
    const parsed = utils.parseKey(key.reveal(), passphrase?.reveal())
    if (parsed instanceof Error) throw keyError(source, parsed.message)
    const method: AnyAuthMethod = { type: 'publickey', username, key: parsed }
    return login([method], passphrase === null ? [key] : [key, passphrase])
  }
  const password = await readSecret(auth.password)
  if (auth.kind === 'password') {
    return login([{ type: 'password', username, password: password.reveal() }], [password])
  }
  let rounds = 0
  const method: AnyAuthMethod = {
    type: 'keyboard-interactive',
    username,
    prompt: (_name, _instructions, _language, prompts, finish) => {
      rounds += 1
      finish(prompts.map(() => (rounds > MAX_PROMPT_ROUNDS ? '' : password.reveal())))
    },
  }
  return login([method], [password])
}

function login(methods: AnyAuthMethod[], secrets: readonly Secret[]): Login {
  return {
    secrets,
    handler: (_left, _partial, next) => {
      const method = methods.shift()
      // The declarations do not know that false ends the attempts.
      next(method ?? (false as unknown as AnyAuthMethod))
    },
    sameAs: other =>
      other.secrets.length === secrets.length &&
      other.secrets.every((secret, position) => secret.reveal() === secrets[position]!.reveal()),
  }
}
