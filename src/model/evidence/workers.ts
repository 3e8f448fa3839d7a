export interface Workers {
  readonly takenAt: number;
}
