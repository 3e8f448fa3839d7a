export * from './aggregates';
export * from './classes';
export { open } from './columns';
export { beginSpread, queued, setDistanceTexts, setDistanceTypes, spread } from './distances';
export * from './dominators';
export * from './holders';
export { markEssential, markOwned, markRetained } from './owned';
export * from './sizes';
export * from './texts';
