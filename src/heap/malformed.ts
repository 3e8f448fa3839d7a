/** A file that is not a heapSnapshot, is cut off, contradicts itself, or is beyond what can be held: says where. */
export class MalformedSnapshot extends Error {
  override readonly name = 'MalformedSnapshot';
  constructor(
    readonly problem: string,
    /** Byte offset in the (decompressed) file. */
    readonly offset: number,
    readonly section: string,
  ) {
    super(`${problem} (byte ${offset}, in ${section})`);
  }
}
