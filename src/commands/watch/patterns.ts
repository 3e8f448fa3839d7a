import { sayCount, sayMs } from '../../base/say.js';
import { metricKind, sayMetric } from '../../model/vital-metrics.js';
import { type Restart, type RestartPattern, restartPatterns } from '../../monitor/restarts.js';

/** Restarts that are remembered; far above what any pattern needs. */
const MOST_RESTARTS = 1000;
/** The same pattern is told again after this time. */
const QUIET_MS = 15 * 60_000;

export interface ToldPattern {
  readonly kind: RestartPattern['kind'];
  readonly title: string;
}

/** Restarts of everything watched; answers with the patterns that are news. */
export class Restarts {
  #all: Restart[] = [];
  readonly #told = new Map<string, number>();

  add(restart: Restart): ToldPattern[] {
    this.#all = [...this.#all, restart].slice(-MOST_RESTARTS);
    return restartPatterns(this.#all, restart.at).flatMap(pattern => {
      const level = pattern.kind === 'storm' ? pattern.level : '';
      const key = `${pattern.kind} ${'child' in pattern ? pattern.child : ''} ${level}`;
      if (restart.at - (this.#told.get(key) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return [];
      this.#told.set(key, restart.at);
      return [{ kind: pattern.kind, title: say(pattern, restart.at) }];
    });
  }
}

function say(pattern: RestartPattern, now: number): string {
  switch (pattern.kind) {
    case 'storm':
      return `${sayCount(pattern.count)} restarts within ${sayMs(pattern.windowMs)} (${pattern.level})`;
    case 'recurring':
      return `it restarted ${sayCount(pattern.count)} times within ${sayMs(pattern.windowMs)}`;
    case 'cascade':
      return `${pattern.children.length} programs ended within ${sayMs(pattern.spanMs)} of each other: ${pattern.children.join(', ')}`;
    case 'periodic':
      return `it restarts every ${sayMs(pattern.everyMs)}; the next time in about ${sayMs(Math.max(0, pattern.nextAt - now))}`;
    case 'resource':
      return `it always ends when ${pattern.metric} is near ${sayMetric(metricKind(pattern.metric) ?? { unit: 'count' }, pattern.level)}`;
    default:
      return pattern satisfies never;
  }
}
