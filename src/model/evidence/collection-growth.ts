export interface CollectionGrowthParams {
  readonly seconds?: number;
}

export interface CollectionGrowth {
  readonly seconds: number;
}
