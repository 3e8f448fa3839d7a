import { ringIn } from '../scope-walk/containers.js';
import { isArray, isObject, nextOfSet, own, ownKeys, plainKeys, setValues } from '../scope-walk/intrinsics.js';
import { isUntouchable, type Realm } from '../scope-walk/realm.js';
import { hasWord } from '../text.js';

const MOST_FIELDS = 120;
const MOST_CONNECTIONS = 64;
/** A statement is told by its beginning. */
const MOST_TEXT = 400;

/** Under which names pools of all libraries keep their connections, and what stands in those lists instead of one. */
const MEMBERS = ['clients', 'connections', 'used', 'inuse', 'resources', 'objects', 'borrow'];
const NOT_AT_WORK = ['free', 'idle', 'avail', 'pending', 'wait', 'queue'];
const WRAPPED_AS = ['resource', 'obj', 'client', 'connection'];
/** What a connection is at, and where that keeps its text: pg, mysql2 and mariadb, tedious. */
const COMMAND = ['query', 'command', 'request'];
const TEXTS = ['text', 'sql', 'sqlTextOrProcedure'];

/** The text of the command that each connection of a pool is at; those at rest and those whose command shows none are left out. */
export function runningIn({ types }: Realm, pool: object): string[] {
  const seen = new Set<object>();
  const texts: string[] = [];
  for (const key of keysOf(pool)) {
    if (!hasWord(key, MEMBERS) || hasWord(key, NOT_AT_WORK)) continue;
    for (const member of membersOf(own(pool, key), types)) {
      if (seen.has(member) || seen.size >= MOST_CONNECTIONS) continue;
      seen.add(member);
      const text = commandOf(member) ?? commandOf(unwrapped(member));
      if (text !== undefined) texts.push(text);
    }
  }
  return texts;
}

const keysOf = (object: object): string[] =>
  ownKeys(object)
    .slice(0, MOST_FIELDS)
    .filter((key): key is string => typeof key === 'string' && !isUntouchable(object, key));

function membersOf(list: unknown, { isProxy, isSet }: Realm['types']): object[] {
  if (!isObject(list) || isProxy(list)) return [];
  const found: unknown[] = [];
  if (isSet(list)) {
    const values = setValues(list);
    for (let step = nextOfSet(values); !step.done && found.length < MOST_CONNECTIONS; step = nextOfSet(values))
      found.push(step.value);
  } else {
    const slots = isArray(list) ? list : ringIn(list, plainKeys(list), isProxy)?.slots;
    for (let i = 0; slots && i < slots.length && i < MOST_CONNECTIONS; i++) found.push(own(slots, String(i)));
  }
  return found.filter(isObject);
}

function unwrapped(member: object): unknown {
  const name = WRAPPED_AS.find(key => !isUntouchable(member, key) && isObject(own(member, key)));
  return name === undefined ? undefined : own(member, name);
}

function commandOf(connection: unknown): string | undefined {
  if (!isObject(connection)) return undefined;
  for (const key of keysOf(connection)) {
    const command = hasWord(key, COMMAND) ? own(connection, key) : undefined;
    if (!isObject(command) || isArray(command)) continue;
    const text = TEXTS.map(name => (isUntouchable(command, name) ? undefined : own(command, name))).find(isText);
    if (text !== undefined) return text.slice(0, MOST_TEXT);
  }
  return undefined;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
