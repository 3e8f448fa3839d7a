/** A call tree for a picture: `value` in microseconds of work, children included. */
export interface FlameNode {
  readonly name: string;
  readonly value: number;
  readonly children: readonly FlameNode[];
}
