import { attach } from '../../src/inspector/attach.js';

// A lens that is going to be killed: attaches, says so, and stays.
await attach({ pid: Number(process.argv[2]) }, { leaseMs: 2_000 });
console.log('attached');
setInterval(() => {}, 1_000);
