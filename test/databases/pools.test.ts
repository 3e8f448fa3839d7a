import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { FaultClass } from '../../src/model/fault.js';
import type { Report } from '../../src/model/report.js';
import { type Launched, launch } from '../launch.js';
import { type Driver, missing, open } from './servers.js';

const ROOT = resolve(import.meta.dirname, '../..');

/** The program over a driver, with callers that ask for `paths` in turn, thirty a second. */
async function served(driver: Driver, port: number, paths: readonly string[]): Promise<Launched> {
  const options = { cwd: `${ROOT}/fixtures/apps/databases`, env: { DRIVER: driver, DB_PORT: String(port) } };
  const target = await launch('fixtures/apps/databases/server.js', options);
  const own = Number((await target.line('ready')).split(' ')[1]);
  let n = 0;
  const calls = setInterval(() => {
    const call = http.get({ port: own, host: '127.0.0.1', path: paths[n++ % paths.length] }, answer => answer.resume());
    call.on('error', () => {});
  }, 33);
  target.child.once('exit', () => clearInterval(calls));
  return target;
}

async function looked(target: Launched): Promise<Report> {
  const state = mkdtempSync(join(tmpdir(), 'lens-pools-'));
  try {
    const args = [
      'run',
      '--pid',
      String(target.pid),
      '--skills',
      'database,async,http',
      '--json',
      '--quiet',
      '--no-llm',
      '--fail-on',
      'never',
    ];
    const env = { ...process.env, XDG_STATE_HOME: state };
    const { stdout } = await promisify(execFile)(process.execPath, [`${ROOT}/bin/lens.js`, ...args], { env });
    return JSON.parse(stdout) as Report;
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

/** The line of lib/DRIVER.js with this mark. */
function marked(driver: Driver, mark: string): number {
  const lines = readFileSync(`${ROOT}/fixtures/apps/databases/lib/${driver}.js`, 'utf8').split('\n');
  return lines.findIndex(line => line.endsWith(`// @${mark}`)) + 1;
}

const warnings = (report: Report) => report.insights.filter(({ severity }) => severity !== 'info');

/**
 * What is held, and where it shows: who holds the connections of pg's pool (on a machine that is too busy: who waits for
 * them), and elsewhere the line where requests wait for one that is taken.
 */
const HELD: {
  readonly [D in Driver]: {
    readonly classes: readonly FaultClass[];
    readonly marks: readonly string[];
    readonly package: string;
  };
} = {
  pg: { classes: ['pool.exhaustion'], marks: ['held', 'behind'], package: 'pg-pool' },
  mysql2: { classes: ['pool.exhaustion'], marks: ['behind'], package: 'mysql2' },
  ioredis: { classes: ['waiting.lock', 'pool.exhaustion', 'downstream.slow'], marks: ['behind'], package: 'ioredis' },
  mongodb: { classes: ['waiting.lock', 'pool.exhaustion', 'downstream.slow'], marks: ['behind'], package: 'mongodb' },
};
const DRIVERS: readonly Driver[] = ['pg', 'mysql2', 'ioredis', 'mongodb'];

describe.concurrent.each(DRIVERS)('%s', driver => {
  const why = missing(driver);
  if (why && process.env.LENS_DATABASES === 'required') throw new Error(`${why}, and must be`);
  if (why) console.warn(`not tested: ${why}`);

  test.skipIf(why)(
    'a pool that is used and given back raises nothing',
    async () => {
      await using database = await open(driver);
      await using target = await served(driver, database.port, ['/read/1', '/reserve/1', '/read/2']);
      const report = await looked(target);
      expect(warnings(report)).toEqual([]);
      expect(report.operators.find(({ skill }) => skill === 'database')?.outcome).toBe('healthy');
    },
    90_000,
  );

  test.skipIf(why)(
    'connections that are never given back are told, with the driver and the line that holds them or waits for them',
    async () => {
      await using database = await open(driver);
      await using target = await served(driver, database.port, ['/read/1', '/read/2', '/reserve/0', '/read/3']);
      const report = await looked(target);
      const [first] = warnings(report);
      expect(HELD[driver].classes).toContain(first?.faultClass);
      const lines = HELD[driver].marks.map(mark => `lib/${driver}.js:${marked(driver, mark)}`);
      const places = [first?.culprit, ...(first?.related ?? [])].map(place => `${place?.file}:${place?.line}`);
      expect(places.some(place => lines.includes(place))).toBe(true);
      expect([first?.culprit, ...(first?.related ?? [])].map(place => place?.package)).toContain(HELD[driver].package);
    },
    90_000,
  );

  test.skipIf(why || driver !== 'pg')(
    'a slow query shows at its route, without its values',
    async () => {
      await using database = await open(driver);
      await using target = await served(driver, database.port, [
        '/search/5678',
        ...Array.from({ length: 9 }, () => '/read/1'),
      ]);
      const report = await looked(target);
      expect(JSON.stringify(report)).not.toContain('4000-1234-5678');
      expect(report.operators.map(({ summary }) => summary).join(' ')).toMatch(/GET \/search\/:id: p50 4\d\d/);
      expect(warnings(report)).toEqual([]);
    },
    90_000,
  );
});
