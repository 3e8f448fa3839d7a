import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** None is real; each has a shape that programs hold. The first is known by its name in the environment alone. */
export const PLANTED = [
  'wq7-entirely-private-52',
  'sk-ant-api03-Qm5h2kX9vT7bZ4mL8pR1sW6yD3cF0hK',
  'ghp_27D8f53A303d7007F8821d949458Bf289C5b',
] as const;
const PLANT = new URL('./plant.cjs', import.meta.url).pathname;

/** What the program under test is started with. */
export const PLANTED_ENV = {
  PAYMENT_API_TOKEN: PLANTED[0],
  PLANTED: JSON.stringify(PLANTED),
  NODE_OPTIONS: `--require=${PLANT}`,
};

/** A heapSnapshot is the target's memory, written for its owner: it holds what the memory holds. */
const RAW_MEMORY = '.heapsnapshot';

/** Where a planted secret shows, whole, reversed or as character codes. */
export function leaksIn(name: string, text: string): string[] {
  return PLANTED.flatMap((secret, at) => {
    const shapes = [
      secret,
      [...secret].reverse().join(''),
      [...secret].map(c => c.charCodeAt(0)).join('.'),
      secret.slice(0, 14),
    ];
    return shapes.some(shape => text.includes(shape)) ? [`SECRET ${at + 1} in ${name}`] : [];
  });
}

/** Every file that a run left, the report included. */
export function leaksBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && !entry.name.endsWith(RAW_MEMORY))
    .flatMap(entry => leaksIn(entry.name, readFileSync(join(entry.parentPath, entry.name), 'utf8')));
}
