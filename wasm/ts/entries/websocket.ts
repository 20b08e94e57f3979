// `chatcore/websocket`: OpenAI's Responses over WebSocket. It stands beside the other entries, because most do without it.
export { webSocketFetch, type WebSocketFetch, type WebSocketFetchOptions } from '../websocket/fetch.js';
