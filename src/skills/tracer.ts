import { z } from 'zod';
import { isUsable } from '../model/evidence/index.js';
import type { Trace, TraceMode, TraceParams } from '../model/evidence/trace.js';
import { TRACE_MODES } from '../model/evidence/trace.js';
import type { Json } from '../model/json.js';
import type { Probe } from '../model/probe.js';
import { type Conclusion, defineQuery, defineSkill, type OperatorView, type Step } from '../model/skill.js';
import { watchExpression } from '../source/expression.js';
import { ScriptText } from '../source/script.js';
import { placeName, resolvePlaces } from '../source/tracepoints.js';

/** The design's limits: what a person at a terminal can read, and what a target doesn't feel. */
export const TRACE_LIMITS = { seconds: 60, hits: 50, perSecond: 5 } as const;
const MAX_SECONDS = 600;
const MAX_HITS = 1000;
/** Traces whose answers are kept for trace_get. */
const MAX_KEPT = 8;
const SCRIPTS_STAY_MS = 60_000;
/** Nobody names a place without one of these. */
const PLACE = /[\w$/.-]+\.(?:[cm]?[jt]sx?):\d+/;

interface Started {
  readonly stop: () => void;
  readonly answer: Promise<Json>;
}

const started = new Map<string, Started>();
let traces = 0;

const startParams = z.object({
  places: z.array(z.string()).min(1).max(4),
  mode: z.enum(TRACE_MODES).default('hits'),
  condition: z.string().optional(),
  expressions: z.array(z.string()).max(8).default([]),
  stack: z.boolean().default(false),
  seconds: z.number().int().min(1).max(MAX_SECONDS).default(TRACE_LIMITS.seconds),
  hits: z.number().int().min(1).max(MAX_HITS).default(TRACE_LIMITS.hits),
  perSecond: z.number().min(1).max(50).default(TRACE_LIMITS.perSecond),
});

export const tracer = defineSkill({
  id: 'tracer',
  title: 'Tracer',
  description: 'Non-pausing logpoints at a line or function: values, durations, stacks, one call line by line',
  scope:
    'What happens at a place somebody names: FILE:LINE or a function. It looks for no faults by itself; without a place it has nothing to do.',
  words: ['trace', 'logpoint', 'logpoints', 'tracepoint'],
  needs: {},
  snapshot: () => ({ active: started.size }),
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'trace_start',
      doc: 'Starts logpoints that never pause: places are "src/a.ts:42", "Class.method" or "src/a.ts#name"; mode hits | calls (durations) | between (two places) | lines (one call, line by line) | wrap (for hot methods). Expressions only read. Answers an id for trace_get; hot places are refused.',
      params: startParams,
      run: start,
    }),
    defineQuery({
      name: 'trace_get',
      doc: 'Hits of a trace once it has ended (by time, hits or trace_stop); until then {running: true}.',
      params: z.object({ id: z.string() }),
      async run({ id }): Promise<Json> {
        const trace = started.get(id);
        if (!trace) return { error: `There is no trace ${id}.` };
        return Promise.race([trace.answer, Promise.resolve({ running: true })]);
      },
    }),
    defineQuery({
      name: 'trace_stop',
      doc: 'Ends a trace now, takes its logpoints away, and answers what it has seen.',
      params: z.object({ id: z.string() }),
      async run({ id }): Promise<Json> {
        const trace = started.get(id);
        if (!trace) return { error: `There is no trace ${id}.` };
        trace.stop();
        return trace.answer;
      },
    }),
  ],
  prompt:
    'Use it last, to prove a guess about one place: which values arrive, how long it takes, who calls. A refused hot place can be measured with mode wrap or a CPU profile.',
});

/** Only a reason that names a place gives it something to do; one look then, at what arrives there. */
async function* playbook(see: OperatorView): Step<Conclusion> {
  const place = PLACE.exec(see.reason)?.[0];
  if (place === undefined) return { outcome: 'not-applicable', summary: 'The reason names no line or function.' };
  const name = placeName(place);
  const scripts = yield* see.ask('scripts', name.file === undefined ? {} : { file: name.file }, SCRIPTS_STAY_MS);
  if (!isUsable(scripts))
    return { outcome: 'inconclusive', summary: `No script could be read: ${scripts.reason ?? ''}` };
  const texts = scripts.data.scripts.map(script => new ScriptText(script));
  const points = resolvePlaces([place], texts, see.target.cwd);
  if (typeof points === 'string') return { outcome: 'inconclusive', summary: points };
  const { hits, perSecond } = TRACE_LIMITS;
  const seen = yield* see.ask('trace', {
    mode: 'hits',
    points,
    expressions: [],
    stack: true,
    seconds: LOOK_SECONDS,
    hits,
    perSecond,
  });
  if (!isUsable(seen)) return { outcome: 'inconclusive', summary: `It could not be traced: ${seen.reason ?? ''}` };
  return { outcome: 'healthy', summary: sentence(points[0]?.label ?? place, seen.data) };
}

/** What a person who named a line is willing to wait beside the other operators. */
const LOOK_SECONDS = 8;

function sentence(label: string, { points, hits, seconds }: Trace): string {
  const [point] = points;
  if (point?.refused !== undefined) return `${label}: ${point.refused}`;
  const reached = points.reduce((sum, each) => sum + each.reached, 0);
  if (reached === 0) return `${label} was not reached within ${Math.round(seconds)} s.`;
  const values = Object.entries(hits[0]?.values ?? {})
    .slice(0, 3)
    .map(([name, value]) => `${name} = ${value.slice(0, 60)}`);
  return `${label} was reached ${reached} times within ${Math.round(seconds)} s${values.length > 0 ? `, first with ${values.join(', ')}` : ''}.`;
}

async function start(asked: z.infer<typeof startParams>, probe: Probe): Promise<Json> {
  const params = await paramsOf(asked, probe);
  if (typeof params === 'string') return { error: params };
  const id = `trace-${++traces}`;
  const stop = new AbortController();
  const answer = probe.ask('trace', params, { freshMs: 0, stop: stop.signal }).then(reading =>
    // Evidence is plain JSON by contract; its readonly interfaces only lack the index signature.
    isUsable(reading)
      ? ({ evidence: reading.id, ...reading.data } as unknown as Json)
      : { status: reading.status, reason: reading.reason ?? '' },
  );
  answer.catch(() => undefined); // told to whoever asks
  const [oldest] = started.keys();
  if (started.size >= MAX_KEPT && oldest !== undefined) started.delete(oldest);
  started.set(id, { answer, stop: () => stop.abort() });
  return { id, places: params.points.map(({ label }) => label), seconds: params.seconds };
}

async function paramsOf(asked: z.infer<typeof startParams>, probe: Probe): Promise<TraceParams | string> {
  const condition = asked.condition === undefined ? undefined : watchExpression(asked.condition);
  if (typeof condition === 'string') return condition;
  const expressions = asked.expressions.map(watchExpression);
  const wrong = expressions.find(expression => typeof expression === 'string');
  if (wrong !== undefined) return wrong;
  const scripts = await probe.ask('scripts', {}, { freshMs: SCRIPTS_STAY_MS });
  if (!isUsable(scripts)) return scripts.reason ?? 'No script could be read.';
  const texts = scripts.data.scripts.map(script => new ScriptText(script));
  const points = resolvePlaces(asked.places, texts, '', shownIn(asked.mode));
  if (typeof points === 'string') return points;
  const problem = misfit(
    asked.mode,
    points.length,
    points.every(({ body }) => body !== undefined),
  );
  if (problem !== undefined) return problem;
  const { mode, stack, seconds, hits, perSecond } = asked;
  return {
    mode,
    points,
    ...(condition === undefined ? {} : { condition }),
    expressions: expressions.filter(expression => typeof expression !== 'string'),
    stack,
    seconds,
    hits,
    perSecond,
  };
}

export const shownIn = (mode: TraceMode) => (mode === 'lines' ? 'function' : 'reached');

/** Why places don't fit a mode; undefined when they do. */
export function misfit(mode: TraceMode, places: number, areFunctions: boolean): string | undefined {
  if (mode === 'between' && places !== 2) return 'Between needs two places: where the time begins and where it ends.';
  if ((mode === 'lines' || mode === 'wrap') && places !== 1)
    return `Mode ${mode} follows one function: name one place.`;
  if (mode !== 'hits' && mode !== 'between' && !areFunctions) return `Mode ${mode} needs a place inside a function.`;
  return undefined;
}
