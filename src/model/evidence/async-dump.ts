export interface AsyncDumpParams {
  readonly seconds?: number;
}

export interface AsyncDump {
  readonly seconds: number;
}
