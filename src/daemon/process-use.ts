// What this process uses of its host, since its start and now.

export interface ProcessUse {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

export function processUse(): ProcessUse {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, rssBytes: process.memoryUsage.rss() };
}
