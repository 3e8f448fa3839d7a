import { expect, test } from 'vitest';
import { makingOf, usesOver } from '../../src/source/uses.js';

const METRICS = `
const register = new Registry();
const duration = new Histogram({ name: 'http_seconds', registers: [register] });
const busy = new Gauge({ name: 'busy' });
collectDefaultMetrics({ register });
app.addHook('onResponse', async request => {
  busy.dec();
  duration.labels(request.url).observe(1);
});
app.get('/metrics', async () => register.metrics());`;

const MQTT = `
const client = mqtt.connect(url);
client.on('error', report);
export function forward(reading) { client.publish('raw', reading, { qos: 1 }); }`;

test.each([
  [
    'a metric by the name it was made with',
    METRICS,
    'register',
    ['_metrics', 'http_seconds', 'hashMap'],
    'duration.labels.observe',
  ],
  ['what is handed over, not who subscribes', MQTT, 'client', ['outgoingStore', '_inflights'], 'client.publish'],
  [
    'the call that names a field on the way',
    'function authorize(token) { crm.get("/"); crm.interceptors.request.use(c => c); }',
    'crm',
    ['interceptors', 'request', 'handlers'],
    'crm.interceptors.request.use',
  ],
  [
    'a word shared with a field, before other calls',
    'i18next.init(o); const t = k => i18next.t(k); const override = s => i18next.addResourceBundle("de", s);',
    'i18next',
    ['options', 'resources', 'de'],
    'i18next.addResourceBundle',
  ],
])('%s fills a container of a package', (_, text, variable, below, expected) => {
  expect(usesOver(text, variable, { below })[0]?.callee).toBe(expected);
});

test('a word shared with the class of the newest entry', () => {
  const text = 'async function next(n) { await store.get(n); const it = store.iterator({ gt: n }); return it.next(); }';
  expect(usesOver(text, 'store', { below: ['#resources'], entryClass: 'Iterator' })[0]?.callee).toBe('store.iterator');
});

test('who subscribes with a function does not fill what is replayed', () => {
  const text =
    'class C { latest() { this.all.subscribe(r => r); } constructor() { interval(50).subscribe(n => { this.all.next(n); }); } }';
  expect(usesOver(text, 'all', { below: ['_buffer'], entryClass: 'Array' })[0]?.callee).toBe('all.next');
});

test('names of what grows beside tell a call as well', () => {
  const text =
    'function check(id) { const schema = new db.Schema({}); return db.model(id, schema) ?? db.trusted(id); }';
  expect(usesOver(text, 'db', { below: ['collections'], beside: ['models'] })[0]?.callee).toBe('db.model');
});

test.each([
  ['reads', 'function f() { return client.get(1) ?? client.has(2) ?? client.listAll(); }'],
  ['takes away', 'function f() { client.delete(1); client.close(); }'],
  ['runs once', 'client.publish(1);'],
])('what only %s fills nothing', (_, text) => {
  expect(usesOver(text, 'client', { below: ['cache'] })).toEqual([]);
});

test.each([
  ['in a constructor', 'class P {\n constructor() {\n  this.#undo = new Manager();\n }\n #undo;\n}', '#undo', 2],
  ['as a field', 'class P {\n undo = createUndo();\n}', 'undo', 1],
  ['not at all', 'class P {\n #undo = undefined;\n}', '#undo', undefined],
])('a field gets what is made for it %s', (_, text, field, line0) => {
  expect(makingOf(text, field)?.line0).toBe(line0);
});
