import type { Problem } from '../../schemas/problem.ts'

/** For a browser that shows the gateway's own answer; nothing of it runs or loads. */
export const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

const STYLE = 'body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:12vh auto;padding:0 1rem;color:#222;background:#fff}h1{font-size:1.4rem}code,p.hint{color:#666}' +
  '@media(prefers-color-scheme:dark){body{color:#ddd;background:#181a1b}code,p.hint{color:#999}}'

/** A small page that says what went wrong, in words of the problem document. */
export function renderPage ({ status, title, detail, hint, code, hosts }: Problem & { hosts?: unknown }): string {
  const links = Array.isArray(hosts) ? hosts.map((url) => `<li><a href="${escape(String(url))}">${escape(String(url))}</a></li>`).join('') : ''
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${status} ${escape(title)}</title><style>${STYLE}</style>` +
    `<h1>${escape(title)}</h1><p>${escape(detail)}</p>${hint === undefined ? '' : `<p class="hint">${escape(hint)}</p>`}${links === '' ? '' : `<p>What answers here:</p><ul>${links}</ul>`}` +
    `<p><code>${status} ${escape(code)}</code> · dockAPI</p></html>\n`
}

/** Whether the client would rather see a page than JSON: browsers name HTML themselves, programs take anything. */
export function wantsPage (accept: string | undefined): boolean {
  return accept !== undefined && /(?:^|,)\s*text\/html\b(?!\s*;\s*q=0(?:\.0+)?(?:\s|,|$))/i.test(accept)
}

function escape (text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
