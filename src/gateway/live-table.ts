import { createRenewal } from './renewal.ts'
import type { LiveRoute, Service } from './route.ts'
import type { RoutedContainer } from './routed-container.ts'
import type { RoutedRequest } from './rules/rule.ts'
import { EMPTY_TABLE } from './table.ts'
import type { Table } from './table.ts'

/** The table that is in force: replaced as a whole, and never behind what a request needs to know. */
export type LiveTable = {
  /** The table with all that is known. */
  present (): Table
  /** The route of a request. */
  find (asked: RoutedRequest): LiveRoute | undefined
  /** A service as it is now, whatever table it is from; without members when it is no more. */
  presentOf (service: Service): Service
  /** Takes what is known of all containers. @param changed The one that changed; undefined when more may have. */
  learn (all: readonly RoutedContainer[], changed: string | undefined): void
  /** Something else than a container changed. */
  renew (): void
  close (): void
}

export type LiveTableParts = {
  build (containers: readonly RoutedContainer[]): Table
  /** Told of each new table. */
  onTable (table: Table, containers: readonly RoutedContainer[]): void
}

export function createLiveTable ({ build, onTable }: LiveTableParts): LiveTable {
  const renewal = createRenewal(make)
  let known: readonly RoutedContainer[] = []
  let table = EMPTY_TABLE

  function make () {
    table = build(known)
    onTable(table, known)
  }

  function present (): Table {
    renewal.catchUp()
    return table
  }

  return {
    present,
    find (asked) {
      const route = table.find(asked)
      return renewal.isBehind(route?.service.members) ? present().find(asked) : route
    },
    presentOf (service) {
      if (renewal.isBehind(service.members)) renewal.catchUp()
      return table.services.get(service.key) ?? { ...service, members: [] }
    },
    learn (all, changed) {
      known = all
      if (changed === undefined) renewal.renew()
      else renewal.note(changed)
    },
    renew: renewal.renew,
    close: renewal.close
  }
}
