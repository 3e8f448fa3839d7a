/** Gives the memory of a column, zeros: the thread's own, or shared where another thread is to read along. */
export type NewBuffer = (bytes: number) => ArrayBufferLike;

export const ownBuffer: NewBuffer = bytes => new ArrayBuffer(bytes);
export const sharedBuffer: NewBuffer = bytes => new SharedArrayBuffer(bytes);
