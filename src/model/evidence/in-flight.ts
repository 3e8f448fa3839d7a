export interface InFlight {
  readonly takenAt: number;
}
