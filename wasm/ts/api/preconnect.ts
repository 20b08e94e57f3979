// Opens the connection to the provider while the module is downloaded.

interface Page {
  document?: { head?: { append(link: object): void } | null; createElement(name: string): { rel: string; href: string; crossOrigin: string | null; remove(): void } };
  location?: { origin: string };
}

/**
 * @internal
 * Makes the browser open a connection to the origin of the URL, if this is a page of another origin. The browser connects when
 * the link is added, and needs it no longer. Does nothing elsewhere, and never throws.
 */
export function preconnect(url: string): void {
  try {
    const { document, location } = globalThis as unknown as Page;
    const { origin } = new URL(url, location?.origin);
    if (!document?.head || origin === location?.origin) return;
    const link = document.createElement('link');
    link.rel = 'preconnect';
    link.href = origin;
    // A connection with cookies is another one, and a request to another origin has none.
    link.crossOrigin = 'anonymous';
    document.head.append(link);
    link.remove();
  } catch { /* a document that is none, or does not let its head be changed */ }
}
