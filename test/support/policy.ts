import { loadConfig } from '../../src/config/load.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import type { Policy } from '../../src/policy/policy.ts'
import type { KnownVolume } from '../../src/policy/members.ts'

const NETWORKS: Record<string, string> = { web: 'bridge', '3adf7c0787ac': 'host' }

/** The policy that a server with these variables has, on an engine with these volumes, a network `web` and one of the host's with the id `3adf7c0787ac`. */
export function policyOf (env: Record<string, string> = {}, volumes: Record<string, KnownVolume> = {}): Policy {
  return createPolicy(loadConfig({ env }), { findVolume: async (name) => volumes[name], networkDriver: async (name) => NETWORKS[name] })
}
