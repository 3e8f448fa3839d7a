// Loaded by every target: a picture of what lens could change in a process, taken at the start and compared later.
const diagnostics = require('node:diagnostics_channel');
const fs = require('node:fs');
const childProcess = require('node:child_process');
const inspector = require('node:inspector');
const timers = require('node:timers');

const CHANNELS = [
  'http.server.request.start',
  'http.server.response.finish',
  'http.client.request.start',
  'http.client.response.finish',
  'undici:request:create',
  'undici:request:headers',
  'undici:request:trailers',
  'undici:request:error',
  'net.client.socket',
];
const EVENTS = [
  'uncaughtException',
  'uncaughtExceptionMonitor',
  'unhandledRejection',
  'worker',
  'warning',
  'exit',
  'removeListener',
];
const { async_hook_fields: hooks, constants } = require('internal/test/binding').internalBinding('async_wrap');
const native = { stringify: JSON.stringify, Error, describe: Object.getOwnPropertyDescriptor };

function picture() {
  const seen = new Map();
  const place = (name, object, key) => {
    const found = native.describe(object, key);
    seen.set(name, found && ('value' in found ? found.value : found.get));
  };
  for (const key of Object.getOwnPropertyNames(console)) place(`console.${key}`, console, key);
  for (const key of ['write', 'emit', 'on']) place(`stdout.${key}`, process.stdout, key);
  for (const key of ['write', 'emit', 'on']) place(`stderr.${key}`, process.stderr, key);
  for (const key of Object.keys(fs)) place(`fs.${key}`, fs, key);
  for (const key of ['spawn', 'emit', 'on']) place(`ChildProcess.${key}`, childProcess.ChildProcess.prototype, key);
  for (const key of Object.keys(timers)) place(`timers.${key}`, timers, key);
  for (const key of Reflect.ownKeys(globalThis)) seen.set(`global ${String(key)}`, true);
  for (const key of Reflect.ownKeys(process)) seen.set(`process ${String(key)}`, true);
  for (const key of Reflect.ownKeys(native.Error)) place(`Error.${String(key)}`, native.Error, key);
  for (const event of EVENTS) seen.set(`listeners of ${event}`, process.listenerCount(event));
  for (const name of CHANNELS) seen.set(`channel ${name}`, diagnostics.hasSubscribers(name));
  for (const name of ['kInit', 'kBefore', 'kAfter', 'kDestroy', 'kPromiseResolve', 'kTotals'])
    seen.set(`async_hooks ${name}`, hooks[constants[name]]);
  return seen;
}

/** Keys that Node itself makes when they are first used. */
const LAZY = /^(?:global (?:fetch|crypto|navigator)|process (?:Symbol|_)|fs\.promises)/;

exports.traps = { count: 0, last: '' };
exports.begin = () => {
  process.stdout.write('');
  process.stderr.write('');
  fs.promises;
  const before = picture();
  exports.differences = () => {
    const found = [];
    const now = picture();
    for (const key of new Set([...before.keys(), ...now.keys()]))
      if (before.get(key) !== now.get(key) && !LAZY.test(key)) found.push(key);
    if (exports.traps.count > 0) found.push(`${exports.traps.count} traps were run, last ${exports.traps.last}`);
    if (inspector.url() !== undefined && !process.execArgv.some(a => a.startsWith('--inspect=')))
      found.push('inspector is open');
    return native.stringify(found);
  };
};
