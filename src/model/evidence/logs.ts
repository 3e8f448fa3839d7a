export interface LogsParams {
  readonly seconds?: number;
}

export interface Logs {
  readonly seconds: number;
}
