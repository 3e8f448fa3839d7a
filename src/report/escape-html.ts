const ESCAPED: { readonly [char: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text from a target as text of a page, in content and in attributes; control characters become visible dots. */
export function escapeHtml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are meant
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '·')
      .replace(/[&<>"']/g, char => ESCAPED[char] ?? char)
  );
}
