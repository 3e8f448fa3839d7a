import { Command } from 'commander';
import { Lock } from '../base/lock.js';
import { Redactor } from '../base/redact.js';
import { sleep } from '../base/sleep.js';
import type { CollectContext } from '../collectors/collector.js';
import { DEFAULT_MAX_PAUSE_MS, guard } from '../collectors/guard.js';
import { scriptsCollector } from '../collectors/scripts.js';
import { readSecrets } from '../collectors/secrets.js';
import { trace, traceCollector } from '../collectors/trace.js';
import { attach } from '../inspector/attach.js';
import type { Session } from '../inspector/session.js';
import { LensError } from '../model/error.js';
import type { Trace, TraceMode, TraceParams, WatchExpression } from '../model/evidence/trace.js';
import { misfit, shownIn, TRACE_LIMITS } from '../skills/tracer.js';
import { watchExpression } from '../source/expression.js';
import { ScriptText } from '../source/script.js';
import { placeName, resolvePlaces } from '../source/tracepoints.js';
import { costBasis } from '../target-cost.js';
import { EXIT } from './exit.js';
import { watchSignals } from './signals.js';
import { resolveTarget, specOf, type TargetOptions, whole, withTarget } from './target.js';
import { learnSecretsOf } from './target-secrets.js';
import { jsonLines, type TraceView, textLines } from './trace/view.js';

interface TraceOptions extends TargetOptions {
  readonly condition?: string;
  readonly expr: readonly string[];
  readonly key?: string;
  readonly stack?: boolean;
  readonly time?: boolean;
  readonly between?: boolean;
  readonly lines?: boolean;
  readonly wrap?: boolean;
  readonly ttl: number;
  readonly hits?: number;
  readonly rate: number;
  readonly maxPause: number;
  readonly json?: boolean;
}

/** Signals may come later than the trace's own end. */
const GRACE_MS = 60_000;

/** Non-pausing logpoints at lines or functions of a running process, in its worker threads too. */
export function traceCommand(): Command {
  return withTarget(new Command('trace'))
    .description('what happens at a line or in a function, without pausing the process')
    .usage('<pid> FILE:LINE|FUNCTION … [options]')
    .argument('<words...>', 'the pid, unless another option names the target; then FILE:LINE, Class.method, FILE#name')
    .option('-c, --condition <expr>', 'only where this holds: “order.total > 100”')
    .option('-e, --expr <expr>', 'a value to show, may be repeated; default: parameters and variables', collect, [])
    .option('--stack', 'who called')
    .option('--time', 'how long each call of a function takes')
    .option('--between', 'how long it takes from the first place to the second')
    .option('--key <expr>', 'what tells one passage from another, for --time and --between')
    .option('--lines', 'one call of a function, line by line, with its variables')
    .option('--wrap', 'count and time a hot method: a stand-in takes its place for as long as the trace lasts')
    .option('--ttl <s>', 'everything is taken back after this many seconds', whole, TRACE_LIMITS.seconds)
    .option('--hits <n>', `end after this many (default ${TRACE_LIMITS.hits}; --lines: 1)`, whole)
    .option('--rate <n>', 'at most this many a second', whole, TRACE_LIMITS.perSecond)
    .option('--max-pause <ms>', 'longest standstill that setting up may cause', whole, DEFAULT_MAX_PAUSE_MS)
    .option('--json', 'NDJSON: one object for the start, each hit and the end')
    .addHelpText('after', EXAMPLES)
    .action(async (words: string[], options: TraceOptions) => {
      process.exitCode = await traceToEnd(words, options);
    });
}

const EXAMPLES = `
Expressions are read, not run: names, properties, operators, and methods such as includes of
built-in values. No getter of the program is called.

Examples:
  lens trace 4242 src/cart.ts:42 --expr order.id --condition "order.total > 100"
  lens trace 4242 Cart.total --time --stack
  lens trace 4242 src/cart.ts#checkout --lines`;

const collect = (text: string, before: readonly string[]): readonly string[] => [...before, text];

async function traceToEnd(words: readonly string[], options: TraceOptions): Promise<number> {
  const { target, places } = splitWords(words, options);
  const mode = modeOf(options);
  const asked = readExpressions(options);
  const { where } = await resolveTarget(specOf(target, []));
  const interruption = watchSignals((options.ttl + GRACE_MS) * 1000);
  const redactor = new Redactor();
  let session: Session | undefined;
  try {
    const onWait = (why: string) => void process.stderr.write(`lens: ${why}\n`);
    session = await attach(where, { signal: interruption.signal, onWait });
    learnSecretsOf(session.target.pid, redactor);
    redactor.learn(await readSecrets(session));
    const context = contextOf(interruption.signal);
    await refuseWhereCostly(session, options);
    const view = await viewOf(session, places, mode, redactor, context);
    const { hits = mode === 'lines' ? 1 : TRACE_LIMITS.hits, rate, ttl, stack = false } = options;
    const params: TraceParams = { ...asked, mode, points: view.points, stack, seconds: ttl, hits, perSecond: rate };
    const lines = options.json ? jsonLines(view) : textLines(view, process.stdout.columns ?? 80);
    show(options, lines.started(params));
    const reading = await trace(session, params, context, {
      onHits: seen =>
        process.stdout.write(
          seen
            .flatMap(lines.hit)
            .map(line => `${line}\n`)
            .join(''),
        ),
    });
    show(options, lines.ended(reading.data));
    return exitOf(reading.data, interruption.cause);
  } finally {
    await session?.detach();
    interruption.release();
  }
}

/** The start and the end are for people on stderr, and part of the stream in JSON. */
function show({ json }: TraceOptions, lines: readonly string[]): void {
  (json ? process.stdout : process.stderr).write(lines.map(line => `${line}\n`).join(''));
}

function splitWords(words: readonly string[], options: TraceOptions) {
  const named = options.pid ?? options.port ?? options.url ?? options.name;
  const [first = '', ...rest] = words;
  const byPid = named === undefined && /^\d+$/.test(first);
  const places = byPid ? rest : words;
  if (places.length === 0)
    throw new LensError('usage', 'Name a place to trace.', 'For example: lens trace 4242 src/cart.ts:42');
  const { pid, port, host, url, name } = options;
  const spec: TargetOptions = byPid
    ? { pid: Number(first) }
    : {
        ...(pid !== undefined && { pid }),
        ...(port !== undefined && { port }),
        ...(host !== undefined && { host }),
        ...(url !== undefined && { url }),
        ...(name !== undefined && { name }),
      };
  return { target: spec, places };
}

function modeOf({ time, between, lines, wrap }: TraceOptions): TraceMode {
  const asked = Object.entries({ calls: time, between, lines, wrap }).filter(([, is]) => is);
  if (asked.length > 1)
    throw new LensError('usage', 'Choose one of --time, --between, --lines and --wrap.', '--wrap times calls too.');
  return (asked[0]?.[0] ?? 'hits') as TraceMode; // the keys above are modes
}

function readExpressions({ condition, expr, key }: TraceOptions) {
  return {
    ...(condition !== undefined && { condition: readable(condition) }),
    ...(key !== undefined && { key: readable(key) }),
    expressions: expr.map(readable),
  };
}

function readable(text: string): WatchExpression {
  const expression = watchExpression(text);
  if (typeof expression === 'string') throw new LensError('usage', expression);
  return expression;
}

function contextOf(signal: AbortSignal): CollectContext {
  const lock = new Lock();
  return {
    signal,
    now: () => performance.now(),
    sleep: ms => sleep(ms, signal),
    exclusively: work => lock.run(work),
    mayPause: () => false,
  };
}

async function refuseWhereCostly(session: Session, { maxPause }: TraceOptions): Promise<void> {
  const refusal = guard('normal', maxPause).refusal(traceCollector, await costBasis(session), NOTHING);
  if (refusal !== undefined) throw new LensError('usage', refusal);
}

const NOTHING: TraceParams = {
  mode: 'hits',
  points: [],
  expressions: [],
  stack: false,
  seconds: 0,
  hits: 0,
  perSecond: 0,
};

/** The places, found in the texts that the target runs. */
async function viewOf(
  session: Session,
  places: readonly string[],
  mode: TraceMode,
  redactor: Redactor,
  context: CollectContext,
): Promise<TraceView> {
  const { cwd } = session.target;
  const files = new Set(places.map(place => placeName(place).file));
  const [file] = files;
  const { data } = await scriptsCollector.collect(session, files.size === 1 && file ? { file } : {}, context);
  const scripts = data.scripts.map(script => new ScriptText(script));
  const points = resolvePlaces(places, scripts, cwd, shownIn(mode));
  if (typeof points === 'string') throw new LensError('usage', points);
  const problem = misfit(
    mode,
    points.length,
    points.every(({ body }) => body !== undefined),
  );
  if (problem !== undefined) throw new LensError('usage', problem);
  return { points, scripts, redactor, target: session.target };
}

function exitOf({ points, hits }: Trace, cause: string | undefined): number {
  if (cause === 'interrupted' || cause === 'terminated' || cause === 'hungUp') return EXIT[cause];
  const refused = points.length > 0 && points.every(point => point.refused !== undefined);
  return refused && hits.length === 0 ? EXIT.inconclusive : EXIT.done;
}
