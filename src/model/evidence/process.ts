export interface ProcessReading {
  readonly takenAt: number;
}
