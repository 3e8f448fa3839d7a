// Real database servers, as Debian packages them, each with a folder and a port of its own.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fakeMongo } from '../../fixtures/world/mongo.mjs';

export type Driver = 'pg' | 'mysql2' | 'ioredis' | 'mongodb';

export interface Database extends AsyncDisposable {
  readonly port: number;
}

const START_LIMIT_MS = 20_000;
const PROGRAMS = {
  postgres: `${newestIn('/usr/lib/postgresql')}/bin/postgres`,
  mariadb: '/usr/sbin/mariadbd',
  redis: '/usr/bin/redis-server',
};

function newestIn(folder: string): string {
  return `${folder}/${existsSync(folder) ? readdirSync(folder).sort().at(-1) : ''}`;
}

/** Why a driver can't be tested here; undefined when it can. .ci/run installs what is needed and forbids a reason. */
export function missing(driver: Driver): string | undefined {
  const needs = { pg: 'postgres', mysql2: 'mariadb', ioredis: 'redis', mongodb: undefined } as const;
  const name = needs[driver];
  return name === undefined || existsSync(PROGRAMS[name]) ? undefined : `${name} is not installed`;
}

export function open(driver: Driver): Promise<Database> {
  return { pg: postgres, mysql2: mariadb, ioredis: redis, mongodb: mongo }[driver]();
}

async function postgres(): Promise<Database> {
  const server = PROGRAMS.postgres;
  const folder = ownedBy('postgres');
  const port = await freePort();
  const as = asUser('postgres');
  const init = [
    ...as,
    join(server, '../initdb'),
    '-D',
    `${folder}/data`,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-N',
    '--no-sync',
  ];
  execFileSync(init[0]!, init.slice(1), { stdio: 'ignore' });
  const quick = ['-c', 'fsync=off', '-c', `unix_socket_directories=${folder}`, '-c', 'listen_addresses=127.0.0.1'];
  return started([...as, server, '-D', `${folder}/data`, '-p', String(port), ...quick], folder, port);
}

/** A statement a line: the server reads no other form. */
const INIT_SQL = `CREATE DATABASE IF NOT EXISTS test;
CREATE USER app@'127.0.0.1' IDENTIFIED BY '';
GRANT ALL ON test.* TO app@'127.0.0.1';
`;

async function mariadb(): Promise<Database> {
  const folder = ownedBy('mysql');
  const port = await freePort();
  const as = process.getuid?.() === 0 ? ['--user=mysql'] : [];
  const place = ['--no-defaults', `--datadir=${folder}/data`, ...as];
  execFileSync('/usr/bin/mariadb-install-db', [...place, '--auth-root-authentication-method=normal'], {
    stdio: 'ignore',
  });
  const init = `${folder}/init.sql`;
  writeFileSync(init, INIT_SQL, { mode: 0o644 });
  const where = [
    `--socket=${folder}/s`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--pid-file=${folder}/pid`,
    `--init-file=${init}`,
  ];
  return started(
    ['/usr/sbin/mariadbd', ...place, ...where, '--skip-name-resolve', '--innodb-flush-log-at-trx-commit=0'],
    folder,
    port,
  );
}

async function redis(): Promise<Database> {
  const port = await freePort();
  const folder = ownedBy();
  return started(
    [PROGRAMS.redis, '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder],
    folder,
    port,
  );
}

/** Debian has no MongoDB: a stand-in speaks its protocol to the real driver. Reports take half a minute. */
async function mongo(): Promise<Database> {
  const server: Server = fakeMongo(command => (command.find === 'reports' ? 30_000 : 1));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

function ownedBy(user?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'lens-db-'));
  mkdirSync(`${folder}/data`);
  if (user && process.getuid?.() === 0) execFileSync('chown', ['-R', user, folder]);
  return folder;
}

/** Database servers refuse to be root. */
const asUser = (user: string): string[] =>
  process.getuid?.() === 0 ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'] : [];

async function started(command: readonly string[], folder: string, port: number): Promise<Database> {
  const child = spawn(command[0]!, command.slice(1), { stdio: 'ignore', cwd: folder });
  await untilListening(child, port);
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null) await new Promise(resolve => child.once('exit', resolve));
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`;
  for (const until = Date.now() + START_LIMIT_MS; Date.now() < until; await sleep(50)) {
    if (existsSync('/proc/net/tcp') && execFileSync('cat', ['/proc/net/tcp'], { encoding: 'utf8' }).includes(hex))
      return;
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
  }
  throw new Error('the server did not listen in time');
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
