export interface ExceptionsParams {
  readonly seconds?: number;
}

export interface Exceptions {
  readonly seconds: number;
}
