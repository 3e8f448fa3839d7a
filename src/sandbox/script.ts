import { parse } from 'acorn';

/**
 * Makes a function body of what a model writes: an expression, statements, or statements that end in an expression.
 * The value of the last expression is the answer, as in a console. Broken syntax is left for the machine to report.
 */
export function scriptBody(code: string): string {
  const end = lastExpression(code);
  if (!end) return code;
  return `${code.slice(0, end.start)}return ${code.slice(end.start)}`;
}

function lastExpression(code: string): { readonly start: number } | undefined {
  try {
    const program = parse(code, {
      ecmaVersion: 'latest',
      allowReturnOutsideFunction: true,
      allowAwaitOutsideFunction: true,
    });
    const last = program.body.at(-1);
    return last?.type === 'ExpressionStatement' ? last : undefined;
  } catch {
    return undefined;
  }
}
