/** Lets everybody pass until it is closed; who comes then waits until it is opened again. */
export class Gate {
  #closed: Promise<void> | undefined;
  #open: () => void = () => undefined;

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  close(): void {
    this.#closed ??= new Promise(resolve => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#closed = undefined;
    this.#open();
  }

  /** Resolves once the gate is open: it may have been closed again while somebody waited. */
  async pass(): Promise<void> {
    while (this.#closed) await this.#closed;
  }
}
