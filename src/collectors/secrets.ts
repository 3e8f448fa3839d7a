import { secretValues } from '../base/redact.js';
import type { Session } from '../inspector/session.js';

/** Longer values are certificates and the like, whose shape gives them away. */
const MAX_VALUE = 4096;

/**
 * Secrets of the target's own environment, to be hidden from everything that is stored or shown; read live, because
 * programs load their .env files late. They stay in lens' memory. Empty when the environment can't be read.
 */
export async function readSecrets(session: Session): Promise<string[]> {
  const expression = `Object.fromEntries(Object.entries(process.env).filter(([, value]) => value.length <= ${MAX_VALUE}))`;
  const env = await session.evaluate<Record<string, string>>(expression).catch(() => ({}));
  return secretValues(env);
}
