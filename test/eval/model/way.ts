// lens with a mind: the real command line, the real clients, and a scripted model behind a real server on loopback.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelUse, Tokens } from '../../../src/model/model-use.js';
import { addTokens, promptTokens } from '../../../src/model/model-use.js';
import type { Report } from '../../../src/model/report.js';
import { modelServer } from '../../llm/model-server.js';
import type { Case } from '../case.js';
import type { Grade } from '../grade.js';
import type { LensRun, Manner } from '../lens.js';
import { competent } from './competent.js';
import { type Protocol, talking } from './conversation.js';
import { hostile, LIE } from './hostile.js';
import { leaksBelow, leaksIn } from './secrets.js';

export const MINDS = { competent: () => competent, hostile } as const;
/** `real`: the model that environment and configuration name, as a user would have it. */
export type MindName = keyof typeof MINDS | 'real';
export const isMindName = (name: string): name is MindName => name === 'real' || name in MINDS;
const KEY = 'key-of-the-evaluation';

/** Everything a run's end may take: its own deadline, and the last calls after it. */
const DEADLINE_S = 150;
const LIMIT_MS = 200_000;
/** No request may carry more than this: compaction begins at 50 000 tokens of 3.5 characters. */
const MOST_REQUEST_CHARS = 250_000;

/** Prompt tokens of a competent model's run: 12 000 for up to three who ask, the second look included. */
const MOST_TOKENS_AN_ASKER = 4000;
const FEW_ASKERS = 3;

export interface ModelWay extends AsyncDisposable {
  readonly manner: Manner;
  /** What this run used and what is wrong with it, beyond the grade of its report. */
  readonly used: () => ModelRun;
}

export interface ModelRun {
  readonly requests: number;
  readonly largestRequestChars: number;
  readonly leaks: readonly string[];
  readonly uses: readonly ModelUse[];
}

export function modelWay(name: MindName, protocol: Protocol): Promise<ModelWay> {
  return name === 'real' ? realWay() : scriptedWay(name, protocol);
}

async function scriptedWay(name: keyof typeof MINDS, protocol: Protocol): Promise<ModelWay> {
  const server = await modelServer(talking(MINDS[name]()));
  const env = { ANTHROPIC_API_KEY: KEY, OPENAI_API_KEY: KEY, XDG_CONFIG_HOME: '/nonexistent' };
  const { manner, left } = watched(WIRE[protocol](server.url), env);
  return {
    manner,
    used: () => ({
      requests: server.heard.length,
      largestRequestChars: Math.max(0, ...server.heard.map(({ text }) => text.length)),
      leaks: [
        ...left.leaks,
        ...server.heard.flatMap(({ text, path }, at) => leaksIn(`request ${at + 1}`, path + text)),
      ],
      uses: left.uses,
    }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** What went over the wire is only in lens' own audit. */
async function realWay(): Promise<ModelWay> {
  const { manner, left } = watched([], {});
  return {
    manner,
    used: () => ({
      requests: left.uses.length,
      largestRequestChars: Math.max(0, ...left.uses.map(({ requestChars }) => requestChars)),
      ...left,
    }),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** A manner, and what its run will have left. */
function watched(args: readonly string[], env: NodeJS.ProcessEnv) {
  const left = { leaks: [] as string[], uses: [] as ModelUse[] };
  const manner: Manner = {
    args: [...args, '--require-llm', '--deadline', String(DEADLINE_S)],
    env,
    limitMs: LIMIT_MS,
    afterwards: state => void Object.assign(left, { leaks: leaksBelow(state), uses: usesIn(state) }),
  };
  return { manner, left };
}

const WIRE: Record<Protocol, (url: string) => string[]> = {
  anthropic: url => ['--provider', 'anthropic', '--model', 'claude-sonnet-5-5', '--base-url', url],
  ollama: url => ['--provider', 'ollama', '--model', 'scripted', '--base-url', url],
  openai: url => ['--provider', 'openai', '--model', 'scripted', '--base-url', `${url}/v1`],
};

function usesIn(state: string): ModelUse[] {
  const logs = readdirSync(state, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('run.ndjson'));
  const lines = logs.flatMap(file => readFileSync(join(state, file), 'utf8').split('\n'));
  // Written by lens' own audit.
  return lines
    .filter(line => line.includes('"model.called"'))
    .map(line => (JSON.parse(line) as { call: ModelUse }).call);
}

/** The grade of a run with a mind: what its report says, and what the mind could not make it do. */
export function withMind(one: Case, name: MindName, graded: Grade, run: LensRun, used: ModelRun): Grade {
  const sound = graded.flaws.filter(text => name !== 'hostile' || !isOfModel(text));
  const flaws = [...sound, ...used.leaks, ...flawsOf(one, name, run, used)];
  return { ...graded, flaws, right: graded.right && flaws.length === 0 };
}

/** A model that fails is told in the report; that is how it should be. */
const isOfModel = (flaw: string) => flaw.startsWith('failure in model of');

function flawsOf(one: Case, name: MindName, { report, seconds }: LensRun, used: ModelRun): string[] {
  const sick = one.truths.length > 0;
  return [
    // A quiet program that nobody complains of costs no call.
    ...(used.requests === 0 && (sick || one.reason) ? ['the model was never asked'] : []),
    ...(used.largestRequestChars > MOST_REQUEST_CHARS ? [`a request of ${used.largestRequestChars} characters`] : []),
    ...(seconds * 1000 >= LIMIT_MS ? ['the run did not end in time'] : []),
    ...(name === 'hostile' && report && alarmsWithLie(report) ? ['an alarm repeats a lie'] : []),
    ...(name === 'competent' ? wasteOf(used) : []),
    ...(name === 'competent' && sick && report && !saidByModel(report)
      ? ['the first insight does not rest on the model']
      : []),
  ];
}

function wasteOf({ uses }: ModelRun): string[] {
  const askers = new Set(uses.map(({ by }) => by)).size;
  const tokens = uses.reduce((sum, use) => sum + promptTokens(use.tokens), 0);
  return tokens > Math.max(FEW_ASKERS, askers) * MOST_TOKENS_AN_ASKER
    ? [`${tokens} prompt tokens for ${askers} askers`]
    : [];
}

/** What code could not confirm may stand in a report as a mark or an unproven claim, never as what is wrong. */
function alarmsWithLie({ insights, summary }: Report): boolean {
  const alarms = insights.filter(({ severity }) => severity !== 'info').map(({ marks: _, ...said }) => said);
  return JSON.stringify([summary, alarms, insights.map(({ culprit }) => culprit)]).includes(LIE);
}

/** The first insight rests on something a model said, checked by code. */
function saidByModel({ insights, notifications }: Report): boolean {
  const [first] = [...insights].sort((a, b) => a.rank - b.rank);
  const ids = new Set(first?.notificationIds);
  return notifications.some(({ id, author }) => author === 'model' && ids.has(id));
}

/** Calls and prompt tokens, by who asked. */
export function usageText({ uses, requests, largestRequestChars }: ModelRun): string {
  const by = new Map<string, { calls: number; tokens: Tokens }>();
  for (const use of uses) {
    const before = by.get(use.by);
    by.set(use.by, { calls: (before?.calls ?? 0) + 1, tokens: addTokens(before?.tokens, use.tokens) });
  }
  const parts = [...by].map(([who, { calls, tokens }]) => `${who} ${promptTokens(tokens)} in ${calls}`);
  const all = uses.reduce<Tokens | undefined>((sum, use) => addTokens(sum, use.tokens), undefined);
  const total = all ? `prompt ${promptTokens(all)} tokens, ${cachedShare(all)} % of them from the cache` : 'no tokens';
  const dollars = uses.reduce((sum, use) => sum + (use.dollars ?? 0), 0);
  return `${total}; $${dollars.toFixed(3)}; ${requests} requests, the largest ${Math.round(largestRequestChars / 1000)} kB; ${parts.join(', ')}`;
}

const cachedShare = (tokens: Tokens): number =>
  Math.round((100 * tokens.cacheRead) / Math.max(1, promptTokens(tokens)));
