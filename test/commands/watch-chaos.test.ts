import { expect, test } from 'vitest';
import type { WatchEvent } from '../../src/model/watch-event.js';
import { type Launched, launch } from '../launch.js';
import { alerts, type Watching, type World, world } from './watching.js';

const ROUNDS = 8;
const MOVES = ['trouble', 'lens', 'receiver', 'target'] as const;

async function until(what: string, holds: () => boolean, withinMs = 20_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise(done => setTimeout(done, 20));
  }
}

/** What has arrived, each event once: a receiver that died while it answered gets its batch again. */
function arrived({ hook }: World): Extract<WatchEvent, { readonly alert: unknown }>[] {
  const known = new Set<string>();
  return alerts(hook)
    .filter(({ watch, seq }) => !known.has(`${watch} ${seq}`) && known.add(`${watch} ${seq}`))
    .filter(event => 'alert' in event);
}

test('whatever is killed at whatever moment, each alert is told once, each end once, and in order', async () => {
  await using stage = await world('harbour');
  const seed = Date.now() % 2_147_483_646;
  let random = seed + 1;
  const next = (below: number) => {
    random = (random * 16_807) % 2_147_483_647;
    return random % below;
  };
  const start = () => stage.watch('--name', stage.program, '--interval', '100ms', '--no-investigate');
  let target: Launched = await launch(stage.program);
  let burns = false;
  let lens: Watching = start();
  await lens.next('metrics.read');
  const told: string[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const move = MOVES[next(MOVES.length)];
      told.push(`${move}`);
      if (move === 'trouble') {
        target.child.kill('SIGUSR2');
        burns = !burns;
      } else if (move === 'receiver') stage.hook.status = stage.hook.status === 200 ? 503 : 200;
      else if (move === 'target') {
        await target.kill();
        target = await launch(stage.program);
        burns = false;
      } else {
        await lens.end('SIGKILL');
        lens = start();
      }
      await new Promise(done => setTimeout(done, next(700)));
    }
    // Quiet: the receiver is there, the trouble is as it is, and lens has the time it needs.
    stage.hook.status = 200;
    await until('lens is back', () => lens.events.some(({ type }) => type === 'metrics.read'));
    const isOpen = () => arrived(stage).at(-1)?.type === 'alert.fired';
    await until(`${burns ? 'told' : 'over'} after ${told.join(', ')} (seed ${seed})`, () => isOpen() === burns);
    const types = arrived(stage).map(({ type }) => type);
    const turns = types.map((_, i) => (i % 2 === 0 ? 'alert.fired' : 'alert.resolved'));
    expect(types, `seed ${seed}: ${told.join(', ')}`).toEqual(turns);
  } finally {
    await lens.end('SIGKILL');
    await target.kill();
  }
}, 60_000);
