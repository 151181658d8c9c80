import type { RoutedRequest } from '../../../../src/gateway/rules/rule.ts'

/** A request as the gateway hands it to rules: `host/path?query`, GET from 127.0.0.1 unless told otherwise. */
export function request (url: string, given: Partial<RoutedRequest> = {}): RoutedRequest {
  const [, host, path, query] = /^([^/?]*)([^?]*)\??(.*)$/s.exec(url)!
  return { method: 'GET', host: host!, path: path!, query: query!, headers: {}, clientAddress: '127.0.0.1', ...given }
}
