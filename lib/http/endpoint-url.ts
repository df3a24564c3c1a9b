/**
 * The address of a request: an endpoint's base and a path, judged once. Data from outside never gets here.
 */
import { ConfigError } from '../model/errors.ts'

/** Plain http is allowed to this machine itself only. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * The URL of `path` under an endpoint's base: `https://erp.example/api` and `hours` give `https://erp.example/api/hours`.
 * @throws CONFIG_API_URL when the base is no address, not https and not on the loopback, or holds a login;
 * or when the path leaves the base.
 */
export function endpointUrl(endpoint: string, baseUrl: string, path: string): URL {
  const refuse = (why: string): never => {
    throw new ConfigError(
      'CONFIG_API_URL',
      `The address of API endpoint ${endpoint} can't be used: ${why}. Nothing was sent; correct it in the environment file or the job.`,
      { details: { endpoint } },
    )
  }
  if (!URL.canParse(baseUrl)) return refuse('it is no address such as https://erp.example/api')
  const base = new URL(baseUrl)
  if (base.username !== '' || base.password !== '') return refuse('it holds a login; name a token instead')
  if (base.search !== '' || base.hash !== '') return refuse('it holds a query or fragment')
  const plain = base.protocol === 'http:' && LOOPBACK.test(base.hostname)
  if (base.protocol !== 'https:' && !plain)
    return refuse('it is not https, and only this machine itself may be spoken to without')
  const root = base.href.endsWith('/') ? base.href : `${base.href}/`
  const url = new URL(path.replace(/^\/+/, ''), root)
  return url.href.startsWith(root) ? url : refuse(`path ${JSON.stringify(path)} leaves it`)
}
