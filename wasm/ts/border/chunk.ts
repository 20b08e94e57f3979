// Imports a chunk again after a failure. A browser keeps the failure of an `import()` as long as the page lives, so that
// the same URL is never asked for again.

let failures = 0;

/** @internal Runs `load`, an `import()`. If it fails, imports the URL that the host's error names, with a query of its own. */
export async function chunk<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const url = /\bhttps?:\/\/\S+/.exec(error instanceof Error ? error.message : '')?.[0];
    if (url === undefined) throw error;
    failures += 1;
    const again = `${url}${url.includes('?') ? '&' : '?'}again=${failures}`;
    return await import(again) as T;
  }
}
