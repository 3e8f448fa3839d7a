import { functionText, own } from './intrinsics.js';
import { LIMITS } from './realm.js';

/** A function that waits to be looked into, and the node it stands at. */
interface Candidate {
  readonly object: object;
  readonly node: number;
}

export interface ChoiceSeat {
  readonly parentOf: (node: number) => number;
  /** Whether a node belongs to a chain of closures, which is followed however alike its functions are. */
  readonly isChained: (node: number) => boolean;
}

/** So many siblings in a row that showed nothing new make the others wait for the end. */
const DRY_SIBLINGS = 3;
const DEFERRED_AT_ONCE = 64;

/** Which functions the inspector is asked about: a round trip is dear, and most functions have nothing new to show. */
export class FunctionChoice<C extends Candidate> {
  asked = 0;
  /** How many objects a function's scopes gave: a second walk skips those that gave none. */
  readonly #yielded = new WeakMap<object, number>();
  readonly #again = new WeakSet<object>();
  readonly #sameText = new Map<string, number>();
  readonly #dry = new Map<number, number>();
  #deferred: C[] = [];
  #late = 0;

  constructor(
    private readonly seat: ChoiceSeat,
    private readonly before?: FunctionChoice<C>,
  ) {}

  get isExhausted(): boolean {
    return this.asked >= LIMITS.functions;
  }

  /** One that was chosen and got no answer in time. */
  isAskedAgain(object: object): boolean {
    return this.#again.has(object);
  }

  askAgain(object: object): void {
    this.#again.add(object);
  }

  /** Counts it as asked when it is worth that. */
  isWorthAsking(one: C): boolean {
    const { object, node } = one;
    if (this.#late === 0 && (this.#dry.get(this.seat.parentOf(node)) ?? 0) >= DRY_SIBLINGS) {
      this.#deferred.push(one);
      return false;
    }
    const gaveNothing = this.before?.gaveNothing(object) ?? false;
    if (gaveNothing || !(this.#hasNewText(object) || this.seat.isChained(node))) return false;
    this.asked++;
    return true;
  }

  /** What looking into one has brought. */
  note({ object, node }: Candidate, gained: number): void {
    const parent = this.seat.parentOf(node);
    this.#dry.set(parent, gained > 0 ? 0 : (this.#dry.get(parent) ?? 0) + 1);
    if (typeof object === 'function') this.#yielded.set(object, gained);
  }

  gaveNothing(object: object): boolean {
    return this.#yielded.get(object) === 0;
  }

  /** Some of those that were put aside; none when there are no more, or enough were asked. */
  takeDeferred(): readonly C[] {
    if (this.#late >= LIMITS.lateFunctions) return [];
    const some = this.#deferred.splice(0, DEFERRED_AT_ONCE);
    this.#late += some.length;
    return some;
  }

  /** After the walk; what a second walk needs stays. */
  forget(): void {
    this.#deferred = [];
    this.#sameText.clear();
    this.#dry.clear();
  }

  #hasNewText(f: object): boolean {
    const text = functionText(f);
    if (text.length < 300 && text.endsWith('{ [native code] }')) {
      const name = own(f, 'name');
      return typeof name === 'string' && name.startsWith('bound ');
    }
    const key = text.length > 200 ? text.slice(0, 200) + text.length : text;
    const count = this.#sameText.get(key) ?? 0;
    this.#sameText.set(key, count + 1);
    return count < LIMITS.sameText;
  }
}
