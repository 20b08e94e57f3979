// `chatcore/websocket`: OpenAI's Responses over WebSocket. It is a separate entry, because most programs do not need it.
export type { Socket, SocketEvent } from '../websocket/socket.js';
export { webSocketFetch, type WebSocketFetch, type WebSocketFetchOptions } from '../websocket/fetch.js';
