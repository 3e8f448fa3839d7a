export interface HangParams {
  readonly seconds?: number;
}

export interface Hang {
  readonly seconds: number;
}
