// `chatcore/tools`: functions that the model may call, and the loop that runs them. It is a separate entry, and takes a client
// from any other entry.
export { LimitReachedError, unfinishedLoop, type ToolClient } from '../tools/loop.js';
export { mcpTools, type McpCallResult, type McpClient, type McpTool, type McpToolsOptions } from '../tools/mcp.js';
export { ToolError, ToolOutput } from '../tools/output.js';
export { runTools, streamTools, ToolLoopStream } from '../tools/run.js';
export { tool, type RunnableTool, type ToolContext, type ToolOptions } from '../tools/tool.js';
export type { Approval, ToolLoopOptions, TypedToolLoopOptions } from '../tools/settings.js';
export type { ToolLoopAnswer, ToolLoopEvent, ToolLoopLimit, TypedToolLoopAnswer, UnfinishedLoop } from '../tools/events.js';
