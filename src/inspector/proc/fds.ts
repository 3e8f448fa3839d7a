/** What kind of thing a descriptor's link names. */
export function fdKind(link: string): string {
  if (link.startsWith('socket:')) return 'socket';
  if (link.startsWith('pipe:')) return 'pipe';
  if (link.startsWith('anon_inode:')) return link.slice('anon_inode:'.length).replace(/[[\]]/g, '') || 'anonymous';
  if (link.startsWith('/dev/')) return 'device';
  if (link.startsWith('/memfd:')) return 'memory file';
  if (link.endsWith(' (deleted)')) return 'deleted file';
  return link.startsWith('/') ? 'file' : 'other';
}

/** How many of each kind. */
export function countKinds(links: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const link of links) {
    if (link === '') continue; // closed while it was read
    const kind = fdKind(link);
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}
