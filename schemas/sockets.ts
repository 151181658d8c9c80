/** What every handshake of a WebSocket may be answered with, beside failures. `null`: there is no body. */
export const SWITCH_RESPONSE = { type: 'null', description: 'The connection is a WebSocket now.' } as const

/** Added to the description of every stream of events, for the same path answers a WebSocket. */
export const EVENT_SOCKET = 'A WebSocket handshake (`Upgrade: websocket`) is answered with 101, and the stream comes as text messages: each one the document that a line of ' +
  'NDJSON would be, the last one `end`, then the close code 1000 (1001 the server shuts down, 1011 failed, 1013 too slow). A client sends nothing; `last_event_id` in the query stands in for the header.'

export const EXEC_SOCKET = `Only as a WebSocket. The parameters are in the query; every refusal comes before the 101. Without a subprotocol, or as \`dockapi.exec.v1\`:

| from | message | meaning |
| --- | --- | --- |
| client | binary | input, at most 1 MiB in a message |
| client | \`{"type":"eof"}\` | closes the command's stdin (a terminal gets Ctrl+D) |
| client | \`{"type":"resize","cols":120,"rows":40}\` | size of the terminal |
| client | \`{"type":"signal","name":"SIGINT"}\` | to the command and what it started |
| server | \`{"type":"started","exec_id":"…"}\` | first |
| server | binary, first byte 1 | stdout, or the terminal |
| server | binary, first byte 2 | stderr |
| server | \`{"type":"exit","exit_code":0,"truncated":false}\` | last, then close code 1000 |
| server | \`{"type":"error","code":"exec_timeout","detail":"…"}\` | what failed; then 1011 (1001 the server shuts down), unless it is about a message |

As \`v5.channel.k8s.io\`, the protocol of \`kubectl exec\`: binary messages whose first byte is the channel, 0 stdin, 1 stdout, 2 stderr, 3 the final status as JSON, 4 the size
\`{"Width":120,"Height":40}\`, 255 with a byte 0 closes stdin.

When the client leaves, the command is ended, unless \`detach=true\`.`

/** The description of work that is watched over a WebSocket. @param events Its events, in order. */
export function socketDescription (what: string, events: string): string {
  return `Only as a WebSocket: every refusal comes before the 101. ${what} The server sends text messages, each a JSON document with its \`event\`: ${events}, ` +
    'and last `end`; then it closes with 1000, or 1011 when the work failed (1001 when the server shuts down).'
}
