import { isForbiddenAddress } from '../forward/forbidden-address.ts'
import { createImageBan, createImageRule, registryOfImage } from '../images/image-rule.ts'
import { formatReference, isImageId, parseReference } from '../images/reference.ts'
import { denied } from './denial.ts'
import type { Denial } from './denial.ts'
import type { PolicyConfig } from './members.ts'

type ImageConfig = Pick<PolicyConfig, 'imagesAllow' | 'imagesDeny' | 'registries'>

/** Judges images by the names under which they are asked for. */
export type ImagePolicy = {
  judge (reference: string): Denial[]
  /** What to ask the engine for: the name as a whole where names matter, since the engine takes a short one for the beginning of an id too. */
  nameOf (reference: string): string
  /** For what brings images whose names say nothing of what is in them: builds, archives. */
  judgeUnnamed (what: string): Denial[]
}

export function createImagePolicy ({ imagesAllow, imagesDeny, registries }: ImageConfig): ImagePolicy {
  const settings = Object.entries({ DOCKAPI_IMAGES_ALLOW: imagesAllow, DOCKAPI_IMAGES_DENY: imagesDeny, DOCKAPI_REGISTRIES: registries }).filter(([, patterns]) => patterns.length > 0).map(([name]) => name)
  const isAllowed = createImageRule(imagesAllow.length === 0 ? undefined : imagesAllow)
  const isDenied = createImageBan(imagesDeny)

  function judge (reference: string): Denial[] {
    if (isImageId(reference)) return settings.length === 0 ? [] : denied('Image', `"${reference}" is the id of an image, and images are judged by their names`, settings[0])
    const registry = registryOfImage(reference)
    if (registry === undefined) return denied('Image', `"${reference}" is no image reference`)
    if (isForbiddenAddress(hostOf(registry))) return denied('Image', `the registry "${registry}" is an address at which clouds keep credentials of the machine`)
    return [
      ...(registries.length === 0 || registries.includes(registry) ? [] : denied('Image', `"${reference}" comes from the registry ${registry}, and images come from ${registries.join(', ')} only`, 'DOCKAPI_REGISTRIES')),
      ...(isAllowed(reference) ? [] : denied('Image', `"${reference}" is none of the images ${imagesAllow.join(', ')}`, 'DOCKAPI_IMAGES_ALLOW')),
      ...(isDenied(reference) ? denied('Image', `"${reference}" is one of the images ${imagesDeny.join(', ')}, which are denied`, 'DOCKAPI_IMAGES_DENY') : [])
    ]
  }

  return {
    judge,
    nameOf: (reference) => settings.length === 0 ? reference : formatReference(parseReference(reference)),
    judgeUnnamed: (what) => settings.flatMap((setting) => denied('Image', `${what} can bring any image under any name, and only some images may be used`, setting))
  }
}

function hostOf (registry: string): string {
  return registry.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
}
