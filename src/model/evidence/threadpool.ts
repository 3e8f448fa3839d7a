export interface ThreadpoolParams {
  readonly seconds?: number;
}

export interface Threadpool {
  readonly seconds: number;
}
