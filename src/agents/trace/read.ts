import type { PartHost } from '../host.js';
import { inheritedDescriptor } from '../peek.js';

/** ESTree, reduced; what it may hold was checked before it came here. */
export interface Tree {
  readonly type: string;
  readonly [property: string]: unknown;
}

/** What stands for a value that only the program's own code could tell. */
export class Unread {
  constructor(readonly why: string) {}
}

/** Reads a free name; throws where the name is not bound (yet). */
export type Lookup = (name: string) => unknown;

const { apply } = Reflect;
const sizeOf = (prototype: object) => Reflect.getOwnPropertyDescriptor(prototype, 'size')?.get as () => number;
const mapSize = sizeOf(Map.prototype);
const setSize = sizeOf(Set.prototype);
const mapGet = Map.prototype.get;
const mapHas = Map.prototype.has;
const setHas = Set.prototype.has;
const includes = Array.prototype.includes;
const typedLength = Reflect.getOwnPropertyDescriptor(Reflect.getPrototypeOf(Uint8Array.prototype) as object, 'length')
  ?.get as () => number;
const { startsWith, endsWith, includes: contains, slice, toLowerCase, toUpperCase } = String.prototype;
const TEXT_METHODS: Record<string, (...args: never[]) => unknown> = {
  startsWith,
  endsWith,
  includes: contains,
  slice,
  toLowerCase,
  toUpperCase,
};

/**
 * Evaluates an expression over a program's values without running the program's code: no getter, no trap, no valueOf.
 * What only such code could tell comes out as `Unread`.
 */
export function reader(host: PartHost): (tree: Tree, lookup: Lookup) => unknown {
  const { types } = host.require('node:util') as typeof import('node:util');
  const describe = inheritedDescriptor(host);

  const read = (tree: Tree, lookup: Lookup): unknown => {
    const sub = (key: string): unknown => read(tree[key] as Tree, lookup);
    switch (tree.type) {
      case 'Literal':
        return tree.bigint === undefined ? tree.value : BigInt(tree.bigint as string);
      case 'Identifier':
        return tree.name === 'undefined' ? undefined : lookup(tree.name as string);
      case 'ThisExpression':
        return lookup('this');
      case 'MemberExpression':
        return member(sub('object'), tree.computed ? sub('property') : (tree.property as Tree).name, tree.optional);
      case 'CallExpression':
        return called(tree, lookup);
      case 'UnaryExpression':
        return unary(tree.operator as string, sub('argument'));
      case 'LogicalExpression':
        return logical(tree, lookup);
      case 'ConditionalExpression':
        return sub('test') ? sub('consequent') : sub('alternate');
      case 'BinaryExpression':
        return binary(tree.operator as string, sub('left'), sub('right'));
      case 'TemplateLiteral':
        return template(tree, lookup);
      case 'ArrayExpression':
        return (tree.elements as Tree[]).map(element => read(element, lookup));
      case 'ChainExpression':
        return sub('expression');
      default:
        return new Unread(`(${tree.type})`);
    }
  };

  const member = (object: unknown, key: unknown, optional: unknown): unknown => {
    if (object instanceof Unread || key instanceof Unread) return object instanceof Unread ? object : key;
    if (object === undefined || object === null) return optional ? undefined : new Unread(`(no value before .${key})`);
    if (typeof key !== 'string' && typeof key !== 'number') return new Unread('(key is no text)');
    if (typeof object === 'string') return key === 'length' ? object.length : object[Number(key)];
    if (typeof object !== 'object' && typeof object !== 'function') return undefined;
    if (types.isProxy(object)) return new Unread('(proxy)');
    if (key === 'size' && types.isMap(object)) return apply(mapSize, object, []);
    if (key === 'size' && types.isSet(object)) return apply(setSize, object, []);
    if (types.isTypedArray(object)) return key === 'length' ? apply(typedLength, object, []) : object[Number(key)];
    const slot = describe(object, key);
    return slot === undefined || 'value' in slot ? slot?.value : new Unread('(getter)');
  };

  /** The few methods of built-in values that change nothing, from lens' own copies. */
  const called = (tree: Tree, lookup: Lookup): unknown => {
    const callee = tree.callee as Tree;
    const self = read(callee.object as Tree, lookup);
    const name = (callee.property as Tree).name as string;
    const args = (tree.arguments as Tree[]).map(argument => read(argument, lookup));
    if (self instanceof Unread) return self;
    if ((self === undefined || self === null) && callee.optional) return undefined;
    const bad = args.find(value => value instanceof Unread);
    if (bad !== undefined) return bad;
    return method(self, name, args);
  };

  const method = (self: unknown, name: string, args: unknown[]): unknown => {
    if (typeof self === 'string') {
      // An object as an argument would be asked for its text.
      const plain = args.every(value => typeof value === 'string' || typeof value === 'number');
      return plain ? apply(TEXT_METHODS[name] as () => unknown, self, args) : new Unread('(argument is no text)');
    }
    if (types.isProxy(self)) return new Unread('(proxy)');
    if (Array.isArray(self) && name === 'includes') return apply(includes, self, args);
    if (types.isMap(self) && name === 'get') return apply(mapGet, self, args);
    if (types.isMap(self) && name === 'has') return apply(mapHas, self, args);
    if (types.isSet(self) && name === 'has') return apply(setHas, self, args);
    return new Unread(`(.${name}() would run code of the program)`);
  };

  const logical = (tree: Tree, lookup: Lookup): unknown => {
    const left = read(tree.left as Tree, lookup);
    if (left instanceof Unread) return left;
    const decided =
      tree.operator === '&&' ? !left : tree.operator === '||' ? !!left : left !== null && left !== undefined;
    return decided ? left : read(tree.right as Tree, lookup);
  };

  const template = (tree: Tree, lookup: Lookup): unknown => {
    const texts = tree.quasis as { value: { cooked: string } }[];
    let text = texts[0]?.value.cooked ?? '';
    for (const [at, part] of (tree.expressions as Tree[]).entries()) {
      const value = read(part, lookup);
      if (!isPrimitive(value)) return value instanceof Unread ? value : new Unread('(object in a template)');
      text += String(value) + (texts[at + 1]?.value.cooked ?? '');
    }
    return text;
  };

  return read;
}

const isPrimitive = (value: unknown): boolean =>
  (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol') || value === null;

// biome-ignore lint/suspicious/noDoubleEquals: the program's own operator is read
const loosely = (left: unknown, right: unknown): boolean => left == right;

function unary(operator: string, value: unknown): unknown {
  if (value instanceof Unread) return value;
  if (operator === '!') return !value;
  if (operator === 'typeof') return typeof value;
  if (!isPrimitive(value) || typeof value === 'bigint') return new Unread('(object as a number)');
  return operator === '-' ? -(value as number) : Number(value);
}

function binary(operator: string, left: unknown, right: unknown): unknown {
  if (left instanceof Unread) return left;
  if (right instanceof Unread) return right;
  if (operator === '===') return left === right;
  if (operator === '!==') return left !== right;
  // The rest would call valueOf or toString of an object.
  if (!isPrimitive(left) || !isPrimitive(right))
    return (operator === '==' || operator === '!=') && (left == null || right == null)
      ? loosely(left, right) === (operator === '==')
      : new Unread('(object in an operation)');
  return arithmetic(operator, left as number, right as number);
}

function arithmetic(operator: string, left: number, right: number): unknown {
  switch (operator) {
    case '==':
      return loosely(left, right);
    case '!=':
      return !loosely(left, right);
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    default:
      return new Unread(`(${operator})`);
  }
}
