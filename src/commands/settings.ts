import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { z } from 'zod';
import { LensError } from '../model/error.js';
import { isOwnMetric, METRICS } from '../model/vital-metrics.js';
import { ruleOf } from '../monitor/rules.js';
import { parseThreshold } from '../monitor/threshold.js';
import { problemOfReading } from '../source/numeric-expression.js';
import { readJsonFile } from '../stores/json-file.js';
import { durationMs } from './duration.js';
import { importSettings } from './settings-module.js';

const time = z
  .string()
  .refine(text => durationMs(text) !== undefined, { error: 'is not a time: write it as 30s, 5m or 2h' });
const limit = z.string().superRefine((text, context) => {
  const parsed = parseThreshold(text);
  if ('problem' in parsed) context.addIssue({ code: 'custom', message: parsed.problem });
});
/** A limit, or one with its window: `loop.delayP99Ms>150ms over 2m`. */
const alarm = z.string().superRefine((text, context) => {
  const parsed = ruleOf(text);
  if ('problem' in parsed) context.addIssue({ code: 'custom', message: parsed.problem });
});
const ownName = z.string().refine(isOwnMetric, { error: 'is not a name like my.queue' });
const expression = z.string().superRefine((text, context) => {
  const problem = problemOfReading(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});
const metricName = z.string().refine(isMetricOrGroup, { error: 'is no metric, and no group of them like fds.*' });
const url = z.string().refine(text => text.startsWith('$') || URL.canParse(text), { error: 'is not an address' });
const port = z.number().int().min(0).max(65_535);

const rule = z.union([
  alarm,
  z.strictObject({
    limit,
    level: z.enum(['warning', 'critical']).optional(),
    soak: time.optional(),
    cool: time.optional(),
    /** With it the mean, or the share of breaching samples, of this time counts, and nothing soaks. */
    over: time.optional(),
    share: z.number().gt(0).max(1).optional(),
  }),
]);

const sink = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ndjson'), path: z.string().min(1) }),
  z.strictObject({ type: z.literal('webhook'), url, secret: z.string().optional() }),
  z.strictObject({ type: z.literal('slack'), url }),
  z.strictObject({ type: z.literal('pagerduty'), routingKey: z.string().min(1), url: url.optional() }),
  z.strictObject({ type: z.literal('alertmanager'), url }),
  z.strictObject({ type: z.literal('command'), command: z.string().min(1) }),
  z.strictObject({ type: z.literal('prometheus'), port, host: z.string().optional() }),
  z.strictObject({
    type: z.literal('otlp'),
    endpoint: url,
    /** Absent: both. */
    signal: z.enum(['metrics', 'logs']).optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
]);

const schema = z.strictObject({
  $schema: z.string().optional(),
  watch: z
    .strictObject({
      interval: time,
      learn: time,
      z: z.number().positive(),
      consecutive: z.number().int().positive(),
      cooldown: time,
      suppress: time,
      escalate: time,
      investigationsPerHour: z.number().int().nonnegative(),
      history: time,
      defaultRules: z.boolean(),
      thresholds: z.array(rule),
      /** Numbers of the user's own: expressions that are read in the target. */
      expressions: z.record(ownName, expression),
      /** Metrics that are read less often than the others. */
      every: z.record(metricName, time),
      /** Investigations may ask the model that the environment names. */
      model: z.boolean(),
    })
    .partial()
    .optional(),
  check: z
    .strictObject({
      for: time,
      failOn: z.enum(['warning', 'critical', 'never']),
      load: z.string().min(1),
      ready: z.string().min(1),
      warmup: time,
      baseline: z.string().min(1),
      thresholds: z.array(limit),
    })
    .partial()
    .optional(),
  sinks: z.array(sink).optional(),
});

type Settings = z.infer<typeof schema>;
export type SinkSettings = z.infer<typeof sink>;
export type RuleSettings = z.infer<typeof rule>;

/** DESIGN §7. */
const DEFAULTS = {
  watch: {
    interval: '30s',
    learn: '2h',
    z: 3,
    consecutive: 3,
    cooldown: '15m',
    suppress: '5m',
    escalate: '15m',
    investigationsPerHour: 3,
    history: '24h',
    defaultRules: true,
    thresholds: [],
    expressions: {},
    every: {},
    model: false,
  },
  check: { for: '30s', failOn: 'warning', thresholds: [] },
  sinks: [],
} as const satisfies Settings;

/** One setting with the place it came from. */
export interface Origin {
  readonly name: string;
  readonly value: unknown;
  readonly from: string;
}

type Filled<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

export interface LoadedSettings {
  readonly watch: Filled<NonNullable<Settings['watch']>>;
  readonly check: NonNullable<Settings['check']>;
  readonly sinks: readonly SinkSettings[];
  readonly origins: readonly Origin[];
  /** What the files were when they were read: another value means that they have changed. */
  readonly stamp: string;
}

interface Layer {
  readonly from: string;
  readonly settings: Settings;
}

/** Names in the order they are looked for, in the directory and every one above it up to the repository's root. */
const PROJECT_FILES = ['json', 'ts', 'mts', 'mjs', 'js'].map(ending => `lens.config.${ending}`);

/** Defaults, then the user's file, the project's file, the environment: each over the one before, setting by setting. */
export async function loadSettings(cwd: string, env: NodeJS.ProcessEnv, given?: string): Promise<LoadedSettings> {
  if (given !== undefined && !existsSync(given)) throw new LensError('usage', `There is no file ${given}.`);
  const stamp = settingsStamp(cwd, env, given);
  const layers: Layer[] = [{ from: 'default', settings: DEFAULTS as unknown as Settings }];
  for (const path of filesOf(cwd, env, given)) layers.push({ from: path, settings: await readSettings(path) });
  layers.push(...environmentLayers(env));
  return { ...merged(layers), stamp };
}

/** Names, sizes and times of the settings files that apply. */
export function settingsStamp(cwd: string, env: NodeJS.ProcessEnv, given?: string): string {
  return filesOf(cwd, env, given)
    .map(path => {
      const at = statSync(path, { throwIfNoEntry: false });
      return `${path} ${at?.size} ${at?.mtimeMs}`;
    })
    .join('\n');
}

/** The user's, then the project's. */
function filesOf(cwd: string, env: NodeJS.ProcessEnv, given: string | undefined): string[] {
  const user = join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'lens', 'config.json');
  const project = given === undefined ? projectFile(cwd) : resolve(cwd, given);
  return [user, project].filter(path => path !== undefined && existsSync(path)) as string[]; // filtered
}

function projectFile(cwd: string): string | undefined {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const found = PROJECT_FILES.map(name => join(folder, name)).find(path => existsSync(path));
    if (found !== undefined) return found;
    if (existsSync(join(folder, '.git')) || dirname(folder) === folder) return undefined;
  }
}

async function readSettings(path: string): Promise<Settings> {
  return validated(extname(path) === '.json' ? readJsonFile(path) : await importSettings(path), path);
}

function validated(content: unknown, from: string): Settings {
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(issue => `  ${issue.path.join('.') || 'the whole'}: ${issue.message}`);
  throw new LensError('usage', `${from} has settings that lens does not understand:\n${lines.join('\n')}`);
}

/** LENS_WATCH_INTERVAL=10s, LENS_CHECK_FAIL_ON=critical: single values; lists are for files. */
function environmentLayers(env: NodeJS.ProcessEnv): Layer[] {
  return (['watch', 'check'] as const).flatMap(section =>
    Object.keys(SINGLE[section]).flatMap((key): Layer[] => {
      const name = `LENS_${section}_${key.replace(/[A-Z]/g, '_$&')}`.toUpperCase();
      const text = env[name];
      if (text === undefined || text === '') return [];
      const value = SINGLE[section][key] === 'text' ? text : jsonOrText(text);
      return [{ from: name, settings: validated({ [section]: { [key]: value } }, name) }];
    }),
  );
}

const SINGLE: { readonly [section in 'watch' | 'check']: { readonly [key: string]: 'text' | 'json' } } = {
  watch: {
    interval: 'text',
    learn: 'text',
    z: 'json',
    consecutive: 'json',
    cooldown: 'text',
    suppress: 'text',
    escalate: 'text',
    investigationsPerHour: 'json',
    history: 'text',
    defaultRules: 'json',
    model: 'json',
  },
  check: { for: 'text', failOn: 'text', load: 'text', ready: 'text', warmup: 'text', baseline: 'text' },
};

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function merged(layers: readonly Layer[]): Omit<LoadedSettings, 'stamp'> {
  const origins = new Map<string, Origin>();
  for (const { from, settings } of layers) {
    for (const section of ['watch', 'check'] as const)
      for (const [key, value] of Object.entries(settings[section] ?? {}))
        if (value !== undefined) origins.set(`${section}.${key}`, { name: `${section}.${key}`, value, from });
    if (settings.sinks) origins.set('sinks', { name: 'sinks', value: settings.sinks, from });
  }
  const section = (name: string) =>
    Object.fromEntries(
      [...origins.values()]
        .filter(o => o.name.startsWith(`${name}.`))
        .map(o => [o.name.slice(name.length + 1), o.value]),
    );
  return {
    // Every layer was validated by the schema, and the defaults fill every field of `watch`.
    watch: section('watch') as LoadedSettings['watch'],
    check: section('check') as LoadedSettings['check'],
    sinks: (origins.get('sinks')?.value ?? []) as readonly SinkSettings[],
    origins: [...origins.values()],
  };
}

/** `$NAME` as a whole value is that environment variable: secrets stay out of files. */
export function fromEnvironment(text: string, env: NodeJS.ProcessEnv): string {
  const [, name] = /^\$\{?(\w+)\}?$/.exec(text) ?? [];
  if (name === undefined) return text;
  const value = env[name];
  if (value === undefined) throw new LensError('usage', `The settings name $${name}, and it is not set.`);
  return value;
}

function isMetricOrGroup(name: string): boolean {
  const group = name.endsWith('.*') ? name.slice(0, -1) : undefined;
  if (group === undefined) return isOwnMetric(name) || METRICS.some(kind => kind.name === name);
  return group === 'my.' || METRICS.some(kind => kind.name.startsWith(group));
}
