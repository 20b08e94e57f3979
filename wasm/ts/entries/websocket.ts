// `chatcore/websocket`: OpenAI's Responses over WebSocket. It stands beside the other entries, because most do without it.
export type { Socket, SocketEvent } from '../websocket/socket.js';
export { webSocketFetch, type WebSocketFetch, type WebSocketFetchOptions } from '../websocket/fetch.js';
