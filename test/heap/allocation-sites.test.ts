import { expect, test } from 'vitest';
import { allocationSites } from '../../src/heap/growth/allocation-sites.js';
import type { V8SamplingNode } from '../../src/model/evidence/heap-sampling.js';

const frame = (functionName: string, url: string, lineNumber = 0) => ({
  functionName,
  scriptId: url,
  url,
  lineNumber,
  columnNumber: 0,
});
const node = (callFrame: V8SamplingNode['callFrame'], selfSize: number, ...children: V8SamplingNode[]) => ({
  callFrame,
  selfSize,
  id: 0,
  children,
});

const APP = 'file:///srv/app/dist/app.js';
const LIBRARY = 'file:///srv/app/node_modules/lokijs/src/lokijs.js';

test('the function that most of the bytes come from is told by its last name', () => {
  const head = node(frame('', ''), 0, node(frame('save', APP), 10, node(frame('Collection.update', LIBRARY), 500)));
  expect(allocationSites({ head, bytes: 510 })).toMatchObject([{ bytes: 510, callee: 'update', through: ['lokijs'] }]);
});

test('where no callee has most of the bytes none is told', () => {
  const head = node(frame('save', APP), 100, node(frame('a', LIBRARY), 90), node(frame('b', LIBRARY), 90));
  expect(allocationSites({ head, bytes: 280 })[0]?.callee).toBeUndefined();
});

test("a package that lies in the application's own file is no site", () => {
  const head = node(frame('scope', APP, 1), 10, node(frame('register', APP, 900), 90));
  const ownerOf = ({ lineNumber }: { lineNumber: number }) => (lineNumber >= 900 ? 'tsyringe' : undefined);
  const sites = allocationSites({ head, bytes: 100 }, ownerOf);
  expect(sites).toMatchObject([
    { frame: { functionName: 'scope' }, bytes: 100, through: ['tsyringe'], callee: 'register' },
  ]);
});
