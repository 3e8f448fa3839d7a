/**
 * The rules of all operators play before any model is asked about a skill that saw nothing: once a cause is known, its
 * silence needs no second opinion.
 */
export class RuleRound {
  readonly #playing = new Set<object>();
  #waiting: (() => void)[] = [];

  constructor(readonly causeKnown: () => boolean) {}

  /** `who` begins; whoever begins must leave, however it ends. */
  begin(who: object): void {
    this.#playing.add(who);
  }

  /** Its rules have concluded, or it has ended. */
  leave(who: object): void {
    this.#playing.delete(who);
    if (this.#playing.size > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  /** Resolves when the rules of nobody play any more, with whether a cause is known. */
  async over(): Promise<boolean> {
    if (this.#playing.size > 0) await new Promise<void>(resolve => this.#waiting.push(resolve));
    return this.causeKnown();
  }
}
