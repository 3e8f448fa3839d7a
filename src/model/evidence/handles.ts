export interface HandlesParams {
  readonly seconds?: number;
}

export interface Handles {
  readonly seconds: number;
}
