import { emptyingsOf } from './emptying.js';
import { functionAround, offsetOf, syntaxOf, type TextPosition } from './syntax.js';

/** What loses entries: `delete this.byId[id]`, `sessions.delete(id)`, `jobs = jobs.filter(…)`. */
const LOSING = /\bdelete\s+[\w$.#]*?([\w$]+)\[|([\w$]+)\.delete\(|([\w$]+)\s*=\s*[\w$.#]*?\b\3\.filter\(/g;

/** The collection of which the function around a position, called by a timer, looks at each entry to take some out. */
export function sweptBy(text: string, position: TextPosition): string | undefined {
  const syntax = syntaxOf(text);
  const own = syntax.nodes[functionAround(syntax, offsetOf(syntax, position))];
  if (!own) return undefined;
  const names = [...text.slice(own.start, own.end).matchAll(LOSING)].map(
    found => found[1] ?? found[2] ?? found[3] ?? '',
  );
  return names.find(name =>
    emptyingsOf(text, name).some(emptying => {
      const at = offsetOf(syntax, emptying);
      const isFilter = /^[^;\n]*=[^;\n]*\.filter\(/.test(text.slice(at, at + 200));
      return emptying.byTimer && (emptying.sweeps || isFilter) && at >= own.start && at < own.end;
    }),
  );
}
