export interface Host {
  readonly takenAt: number;
}
