// Readings, attaches and killed runs over and over on programs that check themselves.
// Run: npx tsx bench/torture.ts [--seconds 60] [--target emitters,timers] [--node 18,20,22,24,26] [--cycle 4] [--kill-every 5]
// Exit code 1 when a program died, answered wrongly, lost work or kept something.
import { parseArgs } from 'node:util';
import { round } from './torture/round.js';
import { tortureTargets } from './torture/targets.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    target: { type: 'string', default: Object.keys(tortureTargets).join() },
    node: { type: 'string', default: '18,20,22,24,26' },
    cycle: { type: 'string', default: '4' },
    without: { type: 'string', default: '' },
    'kill-every': { type: 'string', default: '0' },
    calm: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

let bad = 0;
for (const name of values.target.split(','))
  for (const node of values.node.split(',').map(Number)) {
    const { faults, failures, ...counts } = await round({
      name,
      node,
      ms: Number(values.seconds) * 1000,
      cycleMs: Number(values.cycle) * 1000,
      killEvery: Number(values['kill-every']),
      calm: values.calm,
      without: values.without.split(','),
      ...(values.verbose && { say: (line: string) => console.log(line) }),
    }).catch((error: Error) => ({ faults: [`harness: ${error.stack}`], failures: [], cycles: 0 }));
    if (faults.length > 0) bad += 1;
    const told = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
    console.log(`${name.padEnd(12)} node ${node}  ${faults.length > 0 ? 'HARMED' : 'unharmed'}  (${told.join(', ')})`);
    for (const fault of faults) console.log(`    ${fault}`);
    for (const failure of new Set(failures)) console.log(`    lens could not: ${failure}`);
  }
process.exitCode = bad > 0 ? 1 : 0;
