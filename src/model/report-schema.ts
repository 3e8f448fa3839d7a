import { z } from 'zod';
import { FAULT_CLASSES } from './fault.js';
import type { Insight } from './insight.js';
import type { CodeLocation } from './location.js';
import type { Notification } from './notification.js';
import type { Report } from './report.js';
import { SEVERITIES } from './severity.js';
import type { TargetInfo } from './target.js';

const faultClass = z.enum(FAULT_CLASSES);
const severity = z.enum(SEVERITIES);
const confidence = z.enum(['high', 'medium', 'low']);
const state = z.enum(['healthy', 'observing', 'warning', 'critical']);
const ids = z.array(z.string());
const ms = z.number().nonnegative().describe('milliseconds');
const at = z.number().describe('milliseconds since 1970-01-01 UTC');

const codeLocation = z
  .object({
    package: z.string().optional().describe('the package the mechanism lies in, when it is not the application itself'),
    function: z.string().optional(),
    file: z
      .string()
      .describe('relative to the working directory of the target when inside it, else absolute; source-mapped'),
    line: z.int().min(1),
    column: z.int().min(1).optional(),
    via: z.array(z.string()).optional().describe('calls or a retaining path, outermost first'),
    frame: z.string().optional().describe('source lines around the place'),
  })
  .meta({ id: 'CodeLocation' });

const notification = z.object({
  id: z.string(),
  operator: z.string(),
  anomalyType: z.string(),
  faultClass,
  severity,
  context: z.string(),
  observation: z.string().describe('fact'),
  hypothesis: z.string().optional().describe('guess'),
  title: z.string().optional(),
  culprit: codeLocation.optional(),
  related: z.array(codeLocation).optional(),
  fix: z.string().optional(),
  metrics: z.array(
    z.object({ name: z.string(), value: z.number(), unit: z.string(), baseline: z.number().optional() }),
  ),
  snapshotIds: ids,
  evidenceIds: ids,
  mechanism: z.boolean().optional(),
  confidence: confidence.optional(),
  detectedAt: at,
  traceId: z.string(),
  author: z.enum(['rules', 'model']).optional().describe('who says so; absent means rules'),
  marks: z.array(z.string()).optional().describe('what verification in code found wanting'),
});

const insight = z.object({
  id: z.string(),
  rank: z.int().min(1),
  title: z.string(),
  faultClass,
  severity,
  confidence,
  correlation: z.enum(['temporal', 'causal', 'symptomatic']),
  summary: z.string(),
  matchedObservations: z.array(z.string()),
  grounded: z.boolean(),
  rootCause: z.string().optional(),
  culprit: codeLocation.optional(),
  related: z.array(codeLocation).optional(),
  fix: z.string().optional(),
  notificationIds: ids,
  evidenceIds: ids,
  marks: z.array(z.string()).optional().describe('what verification in code found wanting'),
});

const target = z.object({
  pid: z.int(),
  nodeVersion: z.string(),
  command: z.string(),
  entry: z.string().optional(),
  name: z.string().optional(),
  cwd: z.string(),
  startedAt: at.optional(),
  platform: z.string(),
  arch: z.string().optional(),
  execArgv: z.array(z.string()).optional(),
  url: z.string().optional(),
});

/** The report's contract (docs/report.schema.json is printed from it). Fields may be added, never renamed. */
export const reportSchema = z
  .object({
    schema: z.literal('lens.report/1'),
    lens: z.object({ version: z.string() }),
    run: z.object({
      id: z.string(),
      reason: z.string(),
      startedAt: at,
      finishedAt: at,
      planner: z.enum(['rules', 'model']),
      model: z.string().optional(),
      usage: z
        .object({
          calls: z.number(),
          tokens: z.object({ input: z.number(), output: z.number(), cacheRead: z.number(), cacheWrite: z.number() }),
          dollars: z.number(),
          models: z.array(z.string()),
        })
        .optional(),
    }),
    target,
    verdict: z.enum(['healthy', 'observing', 'warning', 'critical', 'inconclusive']),
    summary: z.string(),
    insights: z.array(insight).describe('ranked, root causes first'),
    operators: z.array(
      z.object({
        skill: z.string(),
        state,
        outcome: z.enum(['healthy', 'found', 'not-applicable', 'inconclusive']),
        summary: z.string(),
        iterations: z.int(),
        incomplete: z.boolean(),
        durationMs: ms,
        notificationIds: ids,
      }),
    ),
    notifications: z.array(notification),
    inconclusive: z.array(z.string()),
    failures: z.array(z.object({ where: z.string(), message: z.string() })),
    disturbance: z.object({
      pausedMs: ms,
      longestPauseMs: ms,
      targetCpuMs: ms,
      readings: z.array(z.object({ kind: z.string(), pausedMs: ms })),
    }),
    artifacts: z.array(z.object({ kind: z.string(), path: z.string(), bytes: z.number(), sha256: z.string() })),
    detached: z.object({ inspectorClosed: z.boolean(), residue: z.array(z.string()) }),
  })
  .meta({ title: 'lens report', description: 'What `lens run --json` prints.' });

type SameKeys<A, B> = [keyof A, keyof B] extends [keyof B, keyof A] ? true : never;

/** Keeps schemas and interfaces the same thing: a field that only one of them has does not compile. */
export const schemaCoversReport: [
  SameKeys<Report, z.infer<typeof reportSchema>>,
  SameKeys<Insight, z.infer<typeof insight>>,
  SameKeys<Notification, z.infer<typeof notification>>,
  SameKeys<CodeLocation, z.infer<typeof codeLocation>>,
  SameKeys<TargetInfo, z.infer<typeof target>>,
] = [true, true, true, true, true];
