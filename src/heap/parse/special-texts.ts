/** Words of V8 and Node that decide something, of ASCII, and of 31 letters at most. */
export const TEXTS = {
  object: 'Object',
  proto: '__proto__',
  nativeContext: 'system / NativeContext',
  sloppyFunctionMap: 'sloppy_function_map',
  mapDescriptors: '(map descriptors)',
  externalString: 'system / ExternalStringData',
  documents: '(Document DOM trees)',
  arrayBufferData: 'system / JSArrayBufferData',
  context: 'context',
} as const;

export const SPECIAL_TEXTS: readonly string[] = Object.values(TEXTS);
