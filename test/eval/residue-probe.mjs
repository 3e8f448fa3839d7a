// Run beside a target after lens has left: prints a JSON list of what lens forgot there.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';

const pid = Number(process.argv[2]);
// No regular expression: the program may be in the midst of one (see src/agents/text.ts).
const LOOK = `(() => {
  const found = [];
  const ours = name => String(name).toLowerCase().includes('lens');
  for (const symbol of Object.getOwnPropertySymbols(globalThis)) if (ours(symbol.description)) found.push('symbol ' + String(symbol) + ' on globalThis');
  for (const name of Object.getOwnPropertyNames(globalThis)) if (ours(name)) found.push('global ' + name);
  for (const symbol of Object.getOwnPropertySymbols(process)) if (ours(symbol.description)) found.push('symbol ' + String(symbol) + ' on process');
  if (Error.prepareStackTrace && ours(Error.prepareStackTrace)) found.push('Error.prepareStackTrace');
  return JSON.stringify(found);
})()`;

const before = new Set(ports());
process.kill(pid, 'SIGUSR1');
const url = await inspector();
const socket = new WebSocket(url);
await new Promise(resolve => socket.once('open', resolve));
const answer = await call('Runtime.evaluate', { expression: LOOK, returnByValue: true, silent: true });
await Promise.race([call('Runtime.evaluate', { expression: 'process._debugEnd()', silent: true }), sleep(300)]);
console.log(answer.result.value);
process.exit(0);

function call(method, params) {
  return new Promise(resolve => {
    socket.on('message', data => {
      const message = JSON.parse(data);
      if (message.id === 1) resolve(message.result);
    });
    socket.send(JSON.stringify({ id: 1, method, params }));
  });
}

async function inspector() {
  for (;;) {
    for (const port of ports().filter(candidate => !before.has(candidate))) {
      const url = await targetUrl(port);
      if (url) return url;
    }
    await sleep(20);
  }
}

function targetUrl(port) {
  return new Promise(resolve => {
    const request = http.get({ host: '127.0.0.1', port, path: '/json/list', timeout: 1000 }, response => {
      let text = '';
      response.on('data', chunk => {
        text += chunk;
      });
      response.on('end', () => resolve(JSON.parse(text)[0]?.webSocketDebuggerUrl));
    });
    request.on('error', () => resolve(undefined)).on('timeout', () => request.destroy());
  });
}

function ports() {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
      try {
        return /^socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  const rows = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').trim().split('\n').slice(1);
  return rows
    .map(row => row.trim().split(/\s+/))
    .filter(row => row[3] === '0A' && own.has(row[9]))
    .map(row => Number.parseInt(row[1].split(':')[1], 16));
}
