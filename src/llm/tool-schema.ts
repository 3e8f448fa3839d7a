import { toJSONSchema, z } from 'zod';
import { FAULT_CLASSES, type FaultClass } from '../model/fault.js';
import type { Json } from '../model/json.js';
import type { ToolSpec } from './provider.js';

/** Fifty names in a schema would make every request a third longer: whoever errs is told them. */
export const FaultClassName = z.string().transform((said, context): FaultClass => {
  const known = FAULT_CLASSES.find(name => name === said);
  if (known) return known;
  context.addIssue(`there is no ${said.slice(0, 60)}; there are ${FAULT_CLASSES.join(', ')}`);
  return z.NEVER;
});

/** A tool as a model sees it, from the schema that checks its calls. */
export function toolSpec(name: string, description: string, params: z.ZodType): ToolSpec {
  const { $schema: _, description: __, ...schema } = toJSONSchema(params, { io: 'input', override: withoutSafeBounds });
  // A JSON schema is JSON.
  return { name, description, schema: schema as { readonly [key: string]: Json } };
}

/** Bounds that any JavaScript integer has say nothing. */
function withoutSafeBounds({ jsonSchema }: { readonly jsonSchema: { minimum?: number; maximum?: number } }): void {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}
