/** The environment of a night's child processes (../../night-child.ts): what the night says in a variable. */
import type { Environment } from '../../../../lib/model/environment.ts'

export default JSON.parse(process.env.NIGHT_ENVIRONMENT ?? '{}') as Environment
