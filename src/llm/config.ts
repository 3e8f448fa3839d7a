import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { LensError } from '../model/error.js';

export const PROVIDERS = ['anthropic', 'openai', 'ollama'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** One model as the configuration names it. There is no field for a key: keys come from the environment, a file or a helper. */
const OneModel = z.strictObject({
  provider: z.enum(PROVIDERS).optional(),
  model: z.string().min(1).optional(),
  baseUrl: z.url().optional(),
  /** Environment variable that holds the key. */
  keyEnv: z.string().optional(),
  /** A file only its owner may read. */
  keyFile: z.string().optional(),
  /** A shell command that prints the key. */
  keyHelper: z.string().optional(),
});

const ModelFile = OneModel.extend({
  /** Asked in turn when the first fails. */
  fallback: z.array(OneModel).optional(),
  strategy: z.enum(['fallback', 'round-robin']).optional(),
  maxTokens: z.number().int().positive().optional(),
  maxDollars: z.number().positive().optional(),
  /** Dollars per million tokens, by the beginning of a model's id. */
  prices: z.record(z.string(), z.strictObject({ input: z.number(), output: z.number() })).optional(),
});
const ConfigFile = z.looseObject({ llm: ModelFile.optional() });
export type ModelFileConfig = z.infer<typeof ModelFile>;
type OneModelConfig = z.infer<typeof OneModel>;

export interface ModelFlags {
  readonly provider?: string;
  readonly model?: string;
  readonly baseUrl?: string;
  /** False: `--no-llm`. */
  readonly llm?: boolean;
  readonly requireLlm?: boolean;
  readonly maxTokens?: number;
  readonly maxDollars?: number;
}

export type Environment = { readonly [name: string]: string | undefined };

/** A model with everything needed to ask it. Never print or store it: it holds the key. */
export interface ModelChoice {
  readonly provider: ProviderName;
  readonly model: string;
  readonly baseUrl?: string;
  readonly apiKey?: string;
}

export interface ModelPlan {
  readonly choices: readonly [ModelChoice, ...ModelChoice[]];
  readonly strategy: 'fallback' | 'round-robin';
  readonly maxTokens?: number;
  readonly maxDollars?: number;
  readonly prices: readonly (readonly [string, { readonly input: number; readonly output: number }])[];
}

/** The provider lens was tuned with; the flag, the environment and the file all win over it. */
const DEFAULT_ANTHROPIC = 'claude-sonnet-5-5';
const KEY_VARIABLE: Record<ProviderName, string | undefined> = {
  anthropic: 'ANTHROPIC_API_KEY',
  openai: 'OPENAI_API_KEY',
  ollama: undefined,
};

/**
 * Which models this run may ask; undefined when none is configured or `--no-llm` was given.
 * Throws LensError `model-unavailable` under `--require-llm`, and `usage` for a configuration that can't be meant.
 */
export async function planModels(
  flags: ModelFlags,
  env: Environment,
  file: ModelFileConfig,
): Promise<ModelPlan | undefined> {
  if (flags.llm === false) {
    if (flags.requireLlm) throw new LensError('usage', '--no-llm and --require-llm exclude each other.');
    return undefined;
  }
  const first = await firstChoice(flags, env, file);
  if (!first) {
    if (flags.requireLlm) throw unavailable('no model is configured');
    return undefined;
  }
  const others = await Promise.all((file.fallback ?? []).map(one => choose(one, env)));
  const maxTokens = flags.maxTokens ?? file.maxTokens;
  const maxDollars = flags.maxDollars ?? file.maxDollars;
  return {
    choices: [first, ...others],
    strategy: file.strategy ?? 'fallback',
    ...(maxTokens !== undefined && { maxTokens }),
    ...(maxDollars !== undefined && { maxDollars }),
    prices: Object.entries(file.prices ?? {}),
  };
}

async function firstChoice(
  flags: ModelFlags,
  env: Environment,
  file: ModelFileConfig,
): Promise<ModelChoice | undefined> {
  const provider = asProvider(flags.provider ?? env.LENS_PROVIDER) ?? file.provider ?? guess(flags, env, file);
  if (!provider) return undefined;
  // A provider named here and now doesn't want another provider's model from the file.
  const fromFile = file.provider === undefined || file.provider === provider ? file : {};
  const model = flags.model ?? env.LENS_MODEL ?? fromFile.model;
  const baseUrl = flags.baseUrl ?? env.LENS_BASE_URL ?? fromFile.baseUrl;
  return choose({ ...fromFile, provider, ...(model && { model }), ...(baseUrl && { baseUrl }) }, env);
}

function asProvider(name: string | undefined): ProviderName | undefined {
  if (name === undefined) return undefined;
  const known = PROVIDERS.find(provider => provider === name);
  if (known) return known;
  throw new LensError('usage', `No provider is called ${name}.`, `There are: ${PROVIDERS.join(', ')}.`);
}

/** Without a named provider: the model's name, then whichever key lies ready. */
function guess(flags: ModelFlags, env: Environment, file: ModelFileConfig): ProviderName | undefined {
  const model = flags.model ?? env.LENS_MODEL ?? file.model;
  if (model?.startsWith('claude-')) return 'anthropic';
  if (env.ANTHROPIC_API_KEY || file.keyHelper || file.keyFile) return 'anthropic';
  return env.OPENAI_API_KEY && model ? 'openai' : undefined;
}

async function choose(one: OneModelConfig, env: Environment): Promise<ModelChoice> {
  const provider = one.provider ?? 'anthropic';
  const model = one.model ?? (provider === 'anthropic' ? DEFAULT_ANTHROPIC : undefined);
  if (!model) throw new LensError('usage', `${provider} has no default model.`, 'Name one with --model or LENS_MODEL.');
  const baseUrl = one.baseUrl ?? baseFromEnv(provider, env);
  const apiKey = await keyOf({ ...one, provider }, env);
  if (provider === 'anthropic' && !apiKey) throw unavailable(`${KEY_VARIABLE.anthropic} is not set`);
  if (apiKey && baseUrl) refuseOpenWire(baseUrl);
  return { provider, model, ...(baseUrl && { baseUrl }), ...(apiKey && { apiKey }) };
}

function baseFromEnv(provider: ProviderName, env: Environment): string | undefined {
  if (provider === 'anthropic') return env.ANTHROPIC_BASE_URL;
  if (provider === 'openai') return env.OPENAI_BASE_URL ?? 'https://api.openai.com/v1';
  const host = env.OLLAMA_HOST;
  return host && !host.includes('://') ? `http://${host}` : host;
}

/** A key must not travel in the clear. */
function refuseOpenWire(baseUrl: string): void {
  const { protocol, hostname } = new URL(baseUrl);
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol === 'https:' || local) return;
  throw new LensError('usage', `The key would travel in the clear to ${hostname}.`, 'Use an https:// base URL.');
}

const HELPER_TIMEOUT_MS = 10_000;
const OTHERS_MAY_READ = 0o077;

async function keyOf(one: OneModelConfig & { provider: ProviderName }, env: Environment): Promise<string | undefined> {
  if (one.keyHelper) return keyFromHelper(one.keyHelper);
  if (one.keyFile) return keyFromFile(one.keyFile);
  const variable = one.keyEnv ?? KEY_VARIABLE[one.provider];
  return (variable && env[variable]?.trim()) || undefined;
}

async function keyFromHelper(command: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command], { timeout: HELPER_TIMEOUT_MS });
    if (stdout.trim()) return stdout.trim();
  } catch {
    // What it printed may be the key: not repeated.
  }
  throw unavailable('the key helper printed no key');
}

async function keyFromFile(path: string): Promise<string> {
  const { mode } = await stat(path).catch(() => {
    throw unavailable(`the key file ${path} can't be read`);
  });
  if ((mode & OTHERS_MAY_READ) !== 0) {
    throw new LensError('usage', `Others may read the key file ${path}.`, `Run: chmod 600 ${path}`);
  }
  return (await readFile(path, 'utf8')).trim();
}

function unavailable(why: string): LensError {
  return new LensError(
    'model-unavailable',
    `A model is wanted, but ${why}.`,
    'Set ANTHROPIC_API_KEY, or name a provider with --provider and --model; --no-llm investigates by rules alone.',
  );
}

/** `llm` of `$XDG_CONFIG_HOME/lens/config.json`; empty when there is no such file. */
export async function readModelFile(env: Environment): Promise<ModelFileConfig> {
  const path = join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'lens', 'config.json');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return {};
  const parsed = ConfigFile.safeParse(parseJson(text, path));
  if (parsed.success) return parsed.data.llm ?? {};
  throw new LensError('file-malformed', `${path}: ${z.prettifyError(parsed.error)}`);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LensError('file-malformed', `${path} is not JSON.`, undefined, { cause });
  }
}
