const EVERY_MS = 2_000;

/** Tells every other second what lens itself costs this machine. Returns the way to stop. */
export function ownOverhead(
  tell: (overhead: { readonly cpuPercent: number; readonly rssBytes: number }) => void,
): () => void {
  let before = process.cpuUsage();
  let at = performance.now();
  const timer = setInterval(() => {
    const used = process.cpuUsage(before);
    const wallUs = (performance.now() - at) * 1000;
    before = process.cpuUsage();
    at = performance.now();
    tell({ cpuPercent: ((used.user + used.system) / wallUs) * 100, rssBytes: process.memoryUsage.rss() });
  }, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
