// Writes a heapSnapshot of a busy-looking program with one planted leak (SessionStore.sessions, a Map nobody empties).
// node --max-old-space-size=4096 generate.mjs SESSIONS FILE     9000 → 32 MB, 45000 → 150 MB, 180000 → 600 MB, 540000 → 1.8 GB
import { writeHeapSnapshot } from 'node:v8';

const [sessionsWanted = '9000', file = 'heap.heapsnapshot'] = process.argv.slice(2);
const count = Number(sessionsWanted);

class Session {
  constructor(id) {
    this.id = id;
    this.token = `token-${id}-${(id * 2654435761) % 4294967296}`;
    this.user = { name: `user ${id}`, roles: ['reader', `team-${id % 97}`], visits: id * 1.5 };
    this.body = Buffer.alloc(64, id % 256);
    this.onDone = function onSessionDone() {
      return id;
    };
  }
}

class SessionStore {
  sessions = new Map();
  open(id) {
    this.sessions.set(`session:${id}`, new Session(id));
  }
}

class Product {
  constructor(id) {
    this.sku = `sku-${id}`;
    this.price = id / 3;
    this.tags = [`tag-${id % 50}`, `tag-${id % 31}`];
    this.stock = { here: id % 7, there: id % 11, when: new Date(id * 1000) };
  }
}

class Tree {
  constructor(depth) {
    this.left = depth > 0 ? new Tree(depth - 1) : null;
    this.right = depth > 0 ? new Tree(depth - 1) : null;
  }
}

const linkedList = length => {
  let head = null;
  for (let i = 0; i < length; i++) head = { value: i, next: head };
  return head;
};

const store = new SessionStore();
for (let id = 0; id < count; id++) store.open(id);

const noise = {
  products: Array.from({ length: count * 2 }, (_, id) => new Product(id)),
  rows: Array.from({ length: count * 3 }, (_, id) => ({
    id,
    title: `row ${id}`,
    cells: [id, id * 0.5, `cell ${id % 500}`],
  })),
  list: linkedList(count * 2),
  trees: Array.from({ length: Math.ceil(count / 250) }, () => new Tree(7)),
  words: new Set(Array.from({ length: count * 2 }, (_, id) => `word-${id.toString(36)}`)),
  cache: new Map(Array.from({ length: 500 }, (_, id) => [id, { id }])),
};

writeHeapSnapshot(file);
const { heapUsed } = process.memoryUsage();
console.log(JSON.stringify({ file, sessions: store.sessions.size, noise: Object.keys(noise).length, heapUsed }));
