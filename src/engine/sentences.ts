import type { ErrorCode } from '../error-codes.ts'

type Meaning = readonly [RegExp, ErrorCode]

/**
 * What the engines' own sentences mean. The status alone does not tell: a taken port and a broken volume are 500, a wrong platform is 404.
 * Seen on Docker 20.10 and Podman 4.3; those of newer engines from moby's source. First match wins.
 */
const SENTENCES: readonly Meaning[] = [
  [/no space left on device|disk quota exceeded/i, 'disk_full'],
  [/port is already allocated|address already in use|ports are not available/i, 'port_conflict'],
  [/container name .*is already in use/i, 'name_conflict'],
  [/multiple IDs found/i, 'ambiguous_id'],

  [/error mounting|are you trying to mount a directory onto a file|bind source path does not exist|error while creating mount source path|mounts denied/i, 'invalid_volume'],
  [/invalid volume specification|invalid mount|mount type unknown|^invalid mode: |duplicate mount point|includes invalid characters for a local volume name/i, 'invalid_volume'],

  [/executable file .*not found|(?:runc|crun|oci).*exec.*(?:no such file or directory|permission denied|format error|is a directory)/is, 'invalid_command'],
  [/chdir to cwd|no command (?:or entrypoint )?(?:was )?specified/i, 'invalid_command'],

  [/network \S+ not found|: network not found/i, 'network_not_found'],
  [/does not match the specified platform|no matching manifest for/i, 'platform_unavailable'],

  [/image is being used by|is using its referenced image/i, 'image_in_use'],
  [/is not paused|removal of container .* is already in progress|marked for removal/i, 'engine_conflict'],
  [/is (?:already )?paused|a paused container/i, 'container_paused'],
  [/remove a running container|container is running: stop/i, 'container_running'],
  [/is not running|is restarting, wait until|container state improper/i, 'container_not_running'],

  [/is marked read-only/i, 'read_only'],
  [/cannot overwrite (?:non-)?directory/i, 'path_conflict'],
  [/extraction point is not a directory/i, 'not_a_folder'],
  [/could not find the file .* in container/i, 'path_not_found'],

  [/does not support reading/i, 'logs_unavailable']
]

/** What a registry's answer means, as engines report it while they pull or push. */
const REGISTRY_SENTENCES: readonly Meaning[] = [
  [/no space left on device|disk quota exceeded/i, 'disk_full'],
  [/toomanyrequests|too many requests|rate limit/i, 'rate_limited'],
  // A registry says the same of an image that is not there and of one that is private; the hint names both.
  [/pull access denied|repository does not exist/i, 'image_not_found'],
  [/no matching manifest for|does not match the specified platform|no match for platform/i, 'platform_unavailable'],
  [/manifest .*(?:not found|unknown)|name unknown|repository .*not found|: not found$/i, 'image_not_found'],
  [/invalid (?:reference|tag) format/i, 'image_not_found'],
  [/no basic auth credentials|unauthorized|authentication required|incorrect username or password|\bdenied\b|forbidden/i, 'registry_auth'],
  [/dial tcp|no such host|timeout|deadline exceeded|connection (?:refused|reset)|x509:|gave HTTP response to HTTPS|unexpected HTTP status: 5|request canceled|\beof\b|network is unreachable/i, 'registry_unreachable']
]

/** The code of a sentence that the engine said, undefined when it is none of those known. */
export function meaningOf (sentence: string, { isPull }: { isPull: boolean }): ErrorCode | undefined {
  return (isPull ? REGISTRY_SENTENCES : SENTENCES).find(([pattern]) => pattern.test(sentence))?.[1]
}
