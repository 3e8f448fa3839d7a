import { expect, test } from 'vitest';
import { foundOf } from '../../src/commands/watch/census.js';

const found = (command: string, cwd = '/srv/shop') =>
  foundOf({
    ...{ pid: 1, parentPid: 0, uid: 0, command, cwd, uptimeSeconds: 1, rssBytes: 1, cpuPercent: 0 },
    ...{ inspector: 'closed', mayAttach: true },
  });

test('a worker and its successor are one application, whatever port their inspectors have', () => {
  const [first, next] = ['--inspect-port=9301', '--inspect-port=9302'].map(port =>
    found(`node ${port} shop.js --port=80`),
  );
  expect(next?.fingerprint).toBe(first?.fingerprint);
  expect(found('node --inspect=0.0.0.0:9229 --inspect-publish-uid=http shop.js --port=80').fingerprint).toBe(
    first?.fingerprint,
  );
  expect(found('node shop.js --port=81').fingerprint).not.toBe(first?.fingerprint);
  expect(found('node shop.js --port=80', '/srv/other').fingerprint).not.toBe(first?.fingerprint);
});
