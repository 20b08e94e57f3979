// Requests through a proxy. A request with TLS goes through a tunnel, so that the proxy sees only its host. Others are
// forwarded with their whole URL.
import { codedError } from '../base/errors.js';
import { CONNECT_MS, type Http, type Way } from './http.js';
import type { Proxy } from './proxy.js';
import type { Emitter } from './types.js';

interface TunnelOptions { host: string; port: number }
type Done = (error: unknown, socket?: unknown) => void;
interface Connecting extends Emitter { end(): void; destroy(error: unknown): void; setTimeout(ms: number, late: () => void): void }

/** The agents that keep connections alive, by proxy. */
const kept = new Map<string, object>();

/** @internal `http` is the module for the request itself, `toProxy` the module for the connection to the proxy. */
export function through(proxy: Proxy, url: URL, http: Http, toProxy: Http): Way {
  const authorization: Record<string, string> = proxy.authorization ? { 'proxy-authorization': proxy.authorization } : {};
  const { host, port } = proxy;
  if (url.protocol !== 'https:') {
    const options = { host, port, path: url.origin + url.pathname + url.search };
    return {
      http: toProxy, secure: proxy.secure, headers: { host: url.host, ...authorization },
      options: (fresh) => (fresh ? { ...options, agent: new toProxy.Agent({ keepAlive: false }) } : options),
    };
  }
  const make = (keepAlive: boolean) => {
    const Tunnel = class extends http.Agent {
      override createConnection(options: TunnelOptions, done: Done): undefined {
        open(proxy, toProxy, options, authorization, (error, socket) => {
          if (error) return done(error);
          const connect = http.Agent.prototype.createConnection as (options: object) => unknown;
          done(null, connect.call(this, { ...options, socket }));
        });
        return undefined;
      }
    };
    return new Tunnel({ ...http.globalAgent.options, keepAlive });
  };
  const key = JSON.stringify(proxy);
  return {
    http, secure: true, headers: {},
    options(fresh) {
      if (fresh) return { agent: make(false) };
      const known = kept.get(key) ?? make(true);
      kept.set(key, known);
      return { agent: known };
    },
  };
}

/** Asks the proxy for a tunnel. */
function open(proxy: Proxy, http: Http, { host, port }: TunnelOptions, headers: Readonly<Record<string, string>>, done: Done): void {
  const to = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const wrong = (why: string) => codedError(`the proxy ${proxy.host}:${proxy.port} ${why}`, 'CHATCORE_PROXY');
  const request = http.request({
    host: proxy.host, port: proxy.port, method: 'CONNECT', path: to, headers: { host: to, ...headers }, agent: false,
  }) as unknown as Connecting;
  request.setTimeout(CONNECT_MS, () => request.destroy(wrong(`opened no tunnel within ${CONNECT_MS} ms`)));
  request.on('connect', ({ statusCode }: { statusCode: number }, socket: { destroy(): void; setTimeout(ms: number): void }) => {
    socket.setTimeout(0);
    if (statusCode === 200) return done(null, socket);
    socket.destroy();
    done(wrong(`refused the tunnel with the status ${statusCode}`));
  });
  request.on('error', (error: Error & { code?: string }) => done(error.code === 'CHATCORE_PROXY' ? error : wrong(`cannot be reached: ${error.message}`)));
  request.end();
}
