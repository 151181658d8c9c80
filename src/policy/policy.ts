import type { ContainerChanges, ContainerSpec } from '../engine/containers.ts'
import { DockApiError } from '../errors.ts'
import type { Denial } from './denial.ts'
import { changes } from './host.ts'
import { createImagePolicy } from './images.ts'
import { frozenCopy } from './judged.ts'
import type { Judged } from './judged.ts'
import { judgeDuties, judgeLimits } from './limits.ts'
import type { Circumstances, Knowledge, PolicyConfig } from './members.ts'
import { containerSpec } from './spec.ts'

/** What may be asked of the engine. Every door asks here, and what makes or changes a container cannot be sent without. */
export type Policy = {
  /** Every denial of the object that would make a container, whoever wrote it; none means that it may be made. */
  judge (spec: ContainerSpec): Promise<Denial[]>

  /** The very object that may be sent. @throws DockApiError `policy_denied` that names each rule and the setting that would allow it. */
  enforce (spec: ContainerSpec): Promise<Judged<ContainerSpec>>

  /** The same for what changes a container. */
  enforceChanges (changes: ContainerChanges): Promise<Judged<ContainerChanges>>

  /**
   * For what names an image without making a container: pulls and tags.
   * @returns What to ask the engine for.
   * @throws as `enforce`.
   */
  enforceImage (reference: string): string

  /** For what brings images whose names say nothing of what is in them. @throws as `enforce`. */
  enforceUnnamedImages (what: string): void
}

export function createPolicy (config: PolicyConfig, knowledge: Knowledge): Policy {
  const images = createImagePolicy(config)
  const circumstances: Circumstances = { config, judgeImage: images.judge, ...knowledge }

  async function denialsOf (copy: ContainerSpec) {
    return [...await containerSpec(copy, '', circumstances), ...judgeDuties(copy.HostConfig ?? {}, config)]
  }

  async function enforce (spec: ContainerSpec) {
    const copy = frozenCopy(spec)
    refuse(await denialsOf(copy))
    return copy as Judged<ContainerSpec>
  }

  async function enforceChanges (asked: ContainerChanges) {
    const copy = frozenCopy(asked)
    refuse([...await changes(copy, '', circumstances), ...judgeLimits(copy, config)])
    return copy as Judged<ContainerChanges>
  }

  return {
    judge: (spec) => denialsOf(frozenCopy(spec)),
    enforce,
    enforceChanges,
    enforceImage (reference) {
      refuse(images.judge(reference))
      return images.nameOf(reference)
    },
    enforceUnnamedImages: (what) => refuse(images.judgeUnnamed(what))
  }
}

/** @throws DockApiError `policy_denied` when there is any denial. */
export function refuse (denials: readonly Denial[]): void {
  if (denials.length === 0) return
  const settings = denials.every(({ setting }) => setting !== undefined) ? [...new Set(denials.map(({ setting }) => setting))] : []
  throw new DockApiError('policy_denied', `Refused by policy: ${[...new Set(denials.map(({ message }) => message))].join('; ')}.`, {
    details: { denials },
    ...(settings.length === 0 ? {} : { hint: `${settings.join(', ')} would allow it.` })
  })
}
