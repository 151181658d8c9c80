import { loadConfig } from '../../src/config/load.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import type { Policy } from '../../src/policy/policy.ts'
import type { KnownVolume } from '../../src/policy/members.ts'

/** The policy that a server with these variables has, on an engine with these volumes. */
export function policyOf (env: Record<string, string> = {}, volumes: Record<string, KnownVolume> = {}): Policy {
  return createPolicy(loadConfig({ env }), async (name) => volumes[name])
}
