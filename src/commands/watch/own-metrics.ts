import type { Session } from '../../inspector/session.js';
import { LensError } from '../../model/error.js';
import type { Measures } from '../../model/watch-event.js';

/** Numbers of the user's own by name (`my.queue`): JavaScript expressions that are read in the target's global scope. */
export type OwnMetrics = { readonly [name: string]: string };

export interface OwnReading {
  readonly values: Measures;
  /** Told once each; a metric that can't be read is absent. */
  readonly problems: readonly string[];
}

/** A look at some properties takes microseconds. Whatever takes longer than this is ended, and after some times left alone. */
const RUNS_WITHIN_MS = 50;
const MOST_TIMEOUTS = 3;
/** However short the interval is. */
const LEAST_BETWEEN_MS = 1_000;
/** A target that does not answer is the other readings' news. */
const ANSWERS_WITHIN_MS = 5_000;

type Outcome =
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'problem'; readonly problem: string; readonly final?: true }
  | { readonly kind: 'timeout' };

/** Reads a user's metrics in one process: never anything with a side effect, never long, never too often. */
export class OwnReadings {
  readonly #told = new Set<string>();
  readonly #left = new Set<string>();
  readonly #timeouts = new Map<string, number>();
  readonly #readAt = new Map<string, number>();

  async read(session: Session, metrics: OwnMetrics, now: number): Promise<OwnReading> {
    const values: { [name: string]: number } = {};
    const problems: string[] = [];
    for (const [name, expression] of Object.entries(metrics)) {
      if (this.#left.has(expression) || now - (this.#readAt.get(name) ?? -LEAST_BETWEEN_MS) < LEAST_BETWEEN_MS)
        continue;
      this.#readAt.set(name, now);
      const outcome = await evaluated(session, expression);
      if (outcome.kind === 'value') values[name] = outcome.value;
      const problem = this.#problemOf(expression, outcome);
      if (problem !== undefined && !this.#told.has(`${name} ${problem}`)) {
        this.#told.add(`${name} ${problem}`);
        problems.push(`${name}: ${problem}`);
      }
    }
    return { values, problems };
  }

  #problemOf(expression: string, outcome: Outcome): string | undefined {
    if (outcome.kind === 'problem' && outcome.final) this.#left.add(expression);
    const timeouts = outcome.kind === 'timeout' ? (this.#timeouts.get(expression) ?? 0) + 1 : 0;
    this.#timeouts.set(expression, timeouts);
    if (timeouts >= MOST_TIMEOUTS) this.#left.add(expression);
    if (outcome.kind === 'timeout') return `ran longer than ${RUNS_WITHIN_MS} ms and was ended`;
    return outcome.kind === 'problem' ? outcome.problem : undefined;
  }
}

async function evaluated(session: Session, expression: string): Promise<Outcome> {
  try {
    const { result, exceptionDetails } = await session.send(
      'Runtime.evaluate',
      {
        expression: `(${expression}\n)\n//# sourceURL=lens:evaluate`,
        ...{ silent: true, disableBreaks: true, returnByValue: true, throwOnSideEffect: true, timeout: RUNS_WITHIN_MS },
        includeCommandLineAPI: expression.includes('require'),
      },
      { timeoutMs: ANSWERS_WITHIN_MS },
    );
    if (exceptionDetails) return thrown(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return valued(result.value);
  } catch (error) {
    if (error instanceof LensError && /terminated/.test(error.message)) return { kind: 'timeout' };
    return { kind: 'problem', problem: error instanceof Error ? error.message : String(error) };
  }
}

function thrown(description: string): Outcome {
  if (description.includes('Possible side-effect'))
    return { kind: 'problem', problem: 'would change the program, and is not read any more', final: true };
  return { kind: 'problem', problem: description.split('\n', 1)[0] ?? '' };
}

function valued(value: unknown): Outcome {
  if (typeof value === 'boolean') return { kind: 'value', value: Number(value) };
  if (typeof value === 'number' && Number.isFinite(value)) return { kind: 'value', value };
  return { kind: 'problem', problem: `is no number but ${value === null ? 'null' : typeof value}` };
}
